"""docs/tutorial/first-sweep.md is true: what it says happens when its steps are taken."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/tutorial/first-sweep.md").read_text(encoding="utf-8")


def counts(folder: Path, *options: str) -> dict[str, Any]:
    """What `relightflow run` counts there."""
    program = "import sys; from relightflow.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "run", "recipe.yaml", "--json", "--quiet", *options]
    environment = {"PYTHONPATH": str(ROOT), "HOME": str(folder), "PATH": ""}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["counts"]
    return found


def test_the_first_sweep_goes_as_told(tmp_path: Path) -> None:
    recipe = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
    (tmp_path / "photos").mkdir()
    for path in re.findall(r"recipes/photos/[\w.-]+", PAGE):
        shutil.copy(ROOT / path, tmp_path / "photos")

    assert counts(tmp_path)["made"] == 18
    assert (tmp_path / "out/sheets/still-life.jpg").is_file()
    manifest = (tmp_path / "out/manifest.jsonl").read_bytes()

    assert counts(tmp_path)["made"] == 0
    assert (tmp_path / "out/manifest.jsonl").read_bytes() == manifest

    (tmp_path / "out/still-life/left-warm.jpg").unlink()
    again = counts(tmp_path)
    assert (again["made"], again["delivered"]) == (0, 1)

    more = recipe.replace("cool, sunset]", "cool, sunset, neutral]")
    (tmp_path / "recipe.yaml").write_text(more, encoding="utf-8")
    assert counts(tmp_path)["made"] == 6
    warm = ("--only", "light_direction=left", "--only", "light_temperature=warm")
    assert counts(tmp_path, *warm)["jobs"] == 3
