"""Acceptance by example: every recipe under tests/recipes/ is read, and says what its golden file says.

`valid/` loads without a word, `warned/` with warnings, `invalid/` not at all. `NAME.txt` beside a
recipe holds its messages. To write them anew after a change of words:
`RELIGHTFLOW_GOLDEN=write pytest tests/recipe/test_examples.py`, and then read the difference.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from relightflow.errors import InvalidRecipe
from relightflow.plan.build import expand
from relightflow.plugins.registry import Registry
from relightflow.recipe import load

EXAMPLES = Path(__file__).parent.parent / "recipes"
VALID = sorted((EXAMPLES / "valid").glob("*.yaml"))
TOLD = [p for kind in ("warned", "invalid") for p in sorted((EXAMPLES / kind).glob("*.yaml"))]


def check(path: Path, registry: Registry) -> str:
    """What a user is told about the recipe at `path`, before any image is looked for."""
    try:
        expanded = expand(load(path, registry))
    except InvalidRecipe as error:
        return f"{error}\n".replace(str(Path.cwd().parent), "/project")
    return "".join(f"warning: {warning}\n" for warning in expanded.warnings)


@pytest.fixture(autouse=True)
def _in_a_project(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example alone, in the folder `recipes` of a repository."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    (tmp_path / ".git").mkdir()
    shutil.copy(request.getfixturevalue("example"), folder)
    monkeypatch.chdir(folder)


@pytest.mark.parametrize("example", VALID, ids=lambda p: p.stem)
def test_a_valid_recipe_loads_without_a_word(example: Path, registry: Registry) -> None:
    assert check(Path(example.name), registry) == ""


@pytest.mark.parametrize("example", TOLD, ids=lambda p: p.stem)
def test_a_recipe_with_problems_says_what_its_golden_file_says(
    example: Path, registry: Registry
) -> None:
    told = check(Path(example.name), registry)
    golden = example.with_suffix(".txt")
    if os.environ.get("RELIGHTFLOW_GOLDEN") == "write":
        golden.write_text(told, encoding="utf-8")
    assert told == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("example", TOLD, ids=lambda p: p.stem)
def test_a_recipe_with_problems_has_a_golden_file_that_says_something(example: Path) -> None:
    assert example.with_suffix(".txt").read_text(encoding="utf-8").strip()
