"""What a user installs works without the repository: the wheel, in a clean environment.

One test, because building and installing takes most of its time. It needs a package index, or pip's
cache, for relightflow's dependencies: only so is their list known to be complete. They come in the
versions that the tests run with.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from importlib.metadata import distributions
from pathlib import Path
from zipfile import ZipFile

from relightflow.recipe.published import PUBLISHED

ROOT = Path(__file__).parents[1]

IMAGES = """
from pathlib import Path
import relightflow
from relightflow.testing import sample_image_bytes

Path("photos").mkdir()
for name in ("first", "second"):
    Path(f"photos/{name}.png").write_bytes(sample_image_bytes(len(name)))
print(relightflow.__file__)
"""


def done(command: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """A process that knows nothing of the repository, and has to succeed."""
    strange = ("PYTHONPATH", "VIRTUAL_ENV", "RELIGHTFLOW_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(strange)}
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, f"{command}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return ended


def built(folder: Path) -> Path:
    done([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed(wheel: Path, folder: Path) -> Path:
    """The `bin` of a new environment that holds the wheel and what it asks for."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin/python"
    versions = folder / "constraints.txt"
    versions.write_text(
        "".join(
            f"{each.name}=={each.version}\n"
            for each in distributions()
            if each.name != "relightflow"
        )
    )
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    done([*pip, "--constraint", versions, wheel], folder)
    return python.parent


def test_the_wheel_brings_all_that_a_run_needs(tmp_path: Path) -> None:
    wheel = built(tmp_path / "dist")
    with ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    assert {f"relightflow/schemas/{name}.schema.json" for name in PUBLISHED} <= inside
    assert {"relightflow/py.typed"} <= inside
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in inside)
    assert {name.split("/")[0].split("-")[0] for name in inside} == {"relightflow"}

    bin_ = installed(wheel, tmp_path / "venv")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "Commands" in done([bin_ / "relightflow", "--help"], empty).stdout
    loaded = done([bin_ / "python", "-c", IMAGES], empty).stdout
    assert Path(loaded.strip()).is_relative_to(tmp_path / "venv")

    done([bin_ / "relightflow", "init"], empty)
    printed = done([bin_ / "relightflow", "run", "recipe.yaml", "--json"], empty).stdout
    assert json.loads(printed)["exit"]["code"] == 0
    assert len(list(empty.glob("out/*/*.png"))) == 2 * 2 * 4
