"""docs/reference/recipe.md says what the code does: fields, defaults, bounds, and examples that load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from relightflow.model.recipe import Limits
from relightflow.plugins.registry import Registry
from relightflow.recipe import load_text
from relightflow.recipe.annotations import FREE
from relightflow.recipe.core import BACKEND_ENTRY, CORE, SAMPLES
from relightflow.recipe.reading import DEEPEST, MOST

PAGE = (Path(__file__).parents[2] / "docs/reference/recipe.md").read_text(encoding="utf-8")
ROWS = {
    row[0].strip("` "): [cell.strip() for cell in row[1:]]
    for line in PAGE.splitlines()
    if line.startswith("| `") and (row := line.strip("|").split(" | "))
}
FIELDS = [name for name, rule in CORE["properties"].items() if rule != FREE]
LIMITS = [n for n, rule in CORE["properties"]["limits"]["properties"].items() if rule != FREE]
OF_ENTRIES = ["as", *(f"limits.{n}" for n in BACKEND_ENTRY["limits"]["properties"])]
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_its_examples_load(text: str, registry: Registry) -> None:
    assert load_text(text, registry).sources


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_its_row(name: str) -> None:
    assert ROWS[name][0] == ("yes" if name in CORE["required"] else "no")


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_has_its_row_and_its_default(name: str) -> None:
    default = getattr(Limits(), name)
    words = {"rate": "learned", "max_cost": "none", "budget": "none", "fail_fast": "false"}
    assert ROWS[name][0] == words.get(name, str(default))
    assert CORE["properties"]["limits"]["properties"][name].get("default", default) == default


def test_no_row_is_left_over() -> None:
    assert {*ROWS} == {*FIELDS, *LIMITS, *OF_ENTRIES}


def test_every_strategy_and_every_bound_is_named() -> None:
    for words in (*(f"`{name}`" for name in SAMPLES), f"{DEEPEST} deep", f"{MOST:,} values"):
        assert words in PAGE
