"""A new plugin is a package whose own tests pass, whatever it is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relightflow.errors import UsageError
from relightflow.plugins.scaffold import KINDS, scaffold, template

GUIDE = (Path(__file__).parents[2] / "docs/how-to/write-a-plugin.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "kind", "passed"),
    [
        ("acme", "backend", 6),
        ("light-lab", "backend", 6),
        ("acme", "sink", 5),
        ("tray", "source", 4),
    ],
)
def test_a_new_plugins_tests_pass(tmp_path: Path, name: str, kind: str, passed: int) -> None:
    scaffold(name, tmp_path / "new", kind)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "new",
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"{passed} passed" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_clean_by_the_linter(tmp_path: Path, kind: str) -> None:
    scaffold("acme", tmp_path, kind)
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "E,F,I,B,UP", "."]
    done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["", "Acme", "a_b", "-a", "a--b", "../a", "a b"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a plugin's name"):
        scaffold(name, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        scaffold("acme", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("path", [path for path in template() if path.endswith(".py")])
def test_the_guide_shows_the_files_as_they_are_written(path: str) -> None:
    if not path.endswith("__init__.py"):
        assert template()[path] in GUIDE
