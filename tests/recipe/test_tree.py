from __future__ import annotations

import pytest

from relightflow.model.recipe import Position
from relightflow.recipe.tree import (
    Branch,
    Fields,
    Leaf,
    Node,
    Step,
    find,
    key_position,
    position,
    size,
    value,
)


def at(line: int, column: int = 1) -> Position:
    return Position("r.yaml", line, column)


LEFT, RIGHT = Leaf("left", at(3, 10)), Leaf(3.1, at(3, 16), "3.10")
LIST = Branch((LEFT, RIGHT), at(3, 8), 3)
TREE = Fields(
    {"matrix": Fields({"light": LIST}, {"light": at(3, 3)}, at(3, 3), 4)},
    {"matrix": at(2)},
    at(1),
    5,
)


def test_a_tree_is_plain_values_again() -> None:
    assert value(TREE) == {"matrix": {"light": ["left", 3.1]}}


def test_sizes_count_a_node_and_all_below() -> None:
    assert [size(node) for node in (TREE, LIST, LEFT)] == [5, 3, 1]


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ((), TREE),
        (("matrix", "light", 1), RIGHT),
        (("matrix", "light", 2), None),
        (("matrix", "light", "0"), None),
        (("matrix", 0), None),
        (("matrix", "light", 0, "deeper"), None),
        (("none",), None),
    ],
)
def test_a_step_is_a_key_of_a_mapping_or_a_place_in_a_list(
    steps: tuple[Step, ...], found: Node | None
) -> None:
    assert find(TREE, steps) is found


@pytest.mark.parametrize(
    ("steps", "key", "begins"),
    [
        (("matrix", "light"), at(3, 3), at(3, 8)),
        (("matrix", "light", 1), at(3, 16), at(3, 16)),
        (("matrix", "light", 7), at(3, 8), at(3, 8)),
        (("matrix", "colour"), at(3, 3), at(3, 3)),
        (("limits", "rate"), at(1), at(1)),
    ],
)
def test_what_is_not_there_stands_where_the_nearest_thing_above_it_does(
    steps: tuple[Step, ...], key: Position, begins: Position
) -> None:
    assert key_position(TREE, steps) == key
    assert position(TREE, steps) == begins
