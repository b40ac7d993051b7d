from __future__ import annotations

import json
from pathlib import Path

import pytest

from relightflow.cli.console import Console
from relightflow.cli.opening import each, tell, warn_of
from relightflow.cli.params import RecipeArguments
from relightflow.errors import BudgetError, Exit, InvalidRecipe, Problem, UsageError


def _reading(*paths: str) -> RecipeArguments:
    return RecipeArguments(tuple(map(Path, paths)), overrides=(), backend="")


def test_what_is_wrong_with_one_recipe_hides_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    def step(path: Path) -> str:
        if path.name == "b.yaml":
            raise BudgetError("the cap is reached")
        return path.stem

    reading = _reading("a.yaml", "b.yaml", "c.yaml")
    assert [found for _, found in each(reading, Console(), step)] == ["a", Exit.BUDGET, "c"]
    assert capsys.readouterr().err == "error: b.yaml: the cap is reached\n"


def test_a_bug_is_not_a_recipes_problem() -> None:
    def step(_: Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(each(_reading("a.yaml"), Console(), step))


def test_a_recipe_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path("a.yaml")
    tell(path, UsageError("a.yaml: no images"), Console())
    tell(path, InvalidRecipe([Problem("r.yaml", 3, 1, "name", "missing")]), Console())
    said = capsys.readouterr().err
    assert said.startswith("error: a.yaml: no images\n")
    assert "a.yaml: r.yaml" not in said
    assert "r.yaml:3:1: name: missing" in said


def test_programs_get_a_document_in_place_of_the_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tell(Path("a.yaml"), BudgetError("the cap is reached"), Console(json=True))
    (line,) = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    assert document["exit"] == Exit.BUDGET
    assert "the cap is reached" in line


def test_a_warning_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    warn_of(("careful", "other", "careful"), Console())
    assert capsys.readouterr().err == "warning: careful\nwarning: other\n"
