"""The example plugin, installed by pip into an environment of its own, as a user would do it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import relightflow

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests/plugin_example"


def run(*command: str | Path, cwd: Path | None = None) -> str:
    # coverage, options and paths of the surrounding run have no business in a user's environment
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "PIP"))}
    done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment that sees this one's libraries, with the plugin installed."""
    state_dir = tmp_path_factory.mktemp("user") / "venv"
    venv.create(state_dir, symlinks=True)
    python = state_dir / "bin/python"
    (site,) = state_dir.glob("lib/python*/site-packages")
    here = [sysconfig.get_path("purelib"), str(Path(relightflow.__file__).parents[1])]
    (site / "surroundings.pth").write_text("\n".join(here) + "\n")
    wheels = state_dir.parent / "wheels"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    offline = ["--no-deps", "--no-index"]
    run(*pip, "wheel", "--no-build-isolation", *offline, "--wheel-dir", wheels, EXAMPLE)
    (wheel,) = wheels.iterdir()
    run(*pip, "--python", python, "install", *offline, wheel)
    return python


def test_an_installed_plugin_is_found_and_passes_the_kits(python: Path, tmp_path: Path) -> None:
    told = run(python, EXAMPLE / "check.py", cwd=tmp_path)
    assert told.startswith("loaded and sound: ")
    assert "relightflow-mirror" in told


def test_the_readmes_recipe_is_one_that_the_plugin_takes(python: Path, tmp_path: Path) -> None:
    text = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    recipe = text.split("```yaml\n")[1].split("```")[0]
    (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
    code = (
        "import sys; from pathlib import Path\n"
        "from relightflow.plugins.registry import load\n"
        "from relightflow.recipe.loading import load as read\n"
        "print(read(Path(sys.argv[1]), load()).backend.model.name)\n"
    )
    assert run(python, "-c", code, tmp_path / "recipe.yaml", cwd=tmp_path).strip() == "mirror"
