"""A recipe is changed in one field, and every other line stays."""

from __future__ import annotations

import pytest

from relightflow.errors import UsageError
from relightflow.model.values import FrozenMap
from relightflow.recipe.editing import spelled, with_include, with_picks, without_picks

RECIPE = """\
# spring
version: 1
name: spring          # the catalogue

sources:
  - {type: glob, include: ["*.png"]}   # all of them
# The lights
matrix:
  # from both sides
  light_direction: [left, right]
  light_type: softbox

# Where they go
sinks:
  - {type: directory, path: out/}
"""


def test_a_matrix_becomes_these_cells_and_comments_stay() -> None:
    cells = [FrozenMap({"light_direction": "left", "n": 1}), FrozenMap({"light_direction": "no"})]
    assert with_include(RECIPE, cells) == RECIPE.replace(
        "  # from both sides\n  light_direction: [left, right]\n  light_type: softbox\n",
        "  # from both sides\n  include:\n    - {light_direction: left, n: 1}\n"
        "    - {light_direction: no}\n",
    )


def test_picks_come_after_the_matrix_and_are_replaced_and_removed() -> None:
    once = with_picks(RECIPE, "p.json")
    assert once == RECIPE.replace(
        "  light_type: softbox\n", "  light_type: softbox\npicks: p.json\n"
    )
    assert with_picks(once, "my picks.json") == once.replace("p.json", '"my picks.json"')
    assert without_picks(once) == RECIPE
    assert without_picks(RECIPE) == RECIPE


def test_a_recipe_without_a_matrix_gets_one() -> None:
    text = "version: 1\nsources:\n  - {type: glob}"
    assert with_picks(text, "p.json") == text + "\npicks: p.json\n"


def test_line_ends_are_kept() -> None:
    assert "picks: p.json\r\n" in with_picks(RECIPE.replace("\n", "\r\n"), "p.json")


@pytest.mark.parametrize("text", ["{version: 1, name: a}", "- a", "  version: 1\n  name: b"])
def test_a_recipe_that_is_written_otherwise_is_left_alone(text: str) -> None:
    with pytest.raises(UsageError, match="by hand"):
        with_picks(text, "p.json")


@pytest.mark.parametrize(
    ("value", "text"),
    [("left", "left"), ("true", '"true"'), ("1", '"1"'), (1, "1"), (True, "true"), (2.5, "2.5"),
     ("a: b", '"a: b"'), ("", '""'), ("null", '"null"'), ("ü", '"\\u00fc"')],
)  # fmt: skip
def test_a_value_reads_as_itself(value: object, text: str) -> None:
    assert spelled(value) == text  # type: ignore[arg-type]
