from __future__ import annotations

from itertools import product

import pytest

from relightflow.model.outcome import Result
from relightflow.model.values import FrozenMap, Scalar
from relightflow.plugins.sink import SinkFailed
from relightflow.sinks.contact_sheet.arrange import SheetGrid, SheetImage, arrange

AXES: dict[str, list[Scalar]] = {
    "light_direction": ["left", "right"],
    "light_type": ["softbox", "sunlight", "ambient"],
    "dose": [1, 2],
    "flag": [True, False],
}


def shots(*axes: str, keep: int | None = None) -> list[SheetImage]:
    cells = list(product(*(AXES[name] for name in axes)))[:keep]
    return [
        SheetImage(FrozenMap(dict(zip(axes, cell, strict=True))), result("-".join(map(str, cell))))
        for cell in cells
    ]


def result(name: str) -> Result:
    return Result(name, 1, 8, 6, "image/png")


def arranged(*axes: str, rows: str = "", columns: str = "") -> SheetGrid:
    return arrange(shots(*axes), axes, {}, rows, columns)


def shown(grid: SheetGrid) -> list[list[list[str]]]:
    return [
        [[tile.result.sha256 if tile.result else tile.word for tile in row] for row in block.rows]
        for block in grid.blocks
    ]


def test_the_first_axis_runs_down_and_the_second_across() -> None:
    grid = arranged("light_direction", "light_type")
    assert grid.rows == ("left", "right")
    assert grid.columns == ("softbox", "sunlight", "ambient")
    assert (grid.row_axis, grid.column_axis) == ("light direction", "light type")
    assert shown(grid) == [
        [
            ["left-softbox", "left-sunlight", "left-ambient"],
            ["right-softbox", "right-sunlight", "right-ambient"],
        ]
    ]


def test_the_longer_of_the_two_runs_across_unless_one_was_asked_for() -> None:
    grid = arranged("light_type", "light_direction")
    assert (grid.row_axis, grid.column_axis) == ("light direction", "light type")
    asked = arranged("light_type", "light_direction", rows="light_type")
    assert (asked.row_axis, asked.column_axis) == ("light type", "light direction")


def test_axes_asked_for_are_taken() -> None:
    grid = arranged("light_direction", "light_type", "dose", rows="dose", columns="light_direction")
    assert (grid.row_axis, grid.column_axis) == ("dose", "light direction")
    assert [block.title for block in grid.blocks] == [
        "light type: softbox",
        "light type: sunlight",
        "light type: ambient",
    ]
    only_rows = arranged("light_direction", "light_type", rows="light_type")
    assert (only_rows.row_axis, only_rows.column_axis) == ("light type", "light direction")
    only_columns = arranged("light_direction", "light_type", columns="light_direction")
    assert (only_columns.row_axis, only_columns.column_axis) == ("light type", "light direction")


@pytest.mark.parametrize(("rows", "columns"), [("size", ""), ("", "size"), ("dose", "dose")])
def test_an_axis_that_is_not_there_or_named_twice_is_told(rows: str, columns: str) -> None:
    with pytest.raises(SinkFailed, match=r"size|dose"):
        arranged("light_direction", "light_type", "dose", rows=rows, columns=columns)


def test_further_axes_make_titled_blocks_the_last_one_in_a_line() -> None:
    grid = arranged(*AXES)
    assert [block.title for block in grid.blocks] == [
        "dose: 1 · flag: true",
        "dose: 1 · flag: false",
        "dose: 2 · flag: true",
        "dose: 2 · flag: false",
    ]
    assert grid.across == 2
    assert sum(len(row) for block in grid.blocks for row in block.rows) == 24


def test_an_axis_with_one_value_is_said_once_for_all() -> None:
    AXES["size"] = [512]
    try:
        grid = arranged("size", "light_direction", "light_type")
    finally:
        del AXES["size"]
    assert grid.fixed == ("size: 512",)
    assert grid.row_axis == "light direction"


def test_a_cell_without_an_output_is_not_planned_and_one_without_an_image_says_why() -> None:
    some = shots("light_direction", "light_type")
    some[1] = SheetImage(some[1].values, None, "failed")
    del some[4]
    grid = arrange(some, ["light_direction", "light_type"], {})
    assert shown(grid)[0] == [
        ["left-softbox", "failed", "left-ambient"],
        ["right-softbox", "not planned", "right-ambient"],
    ]


def test_values_stand_in_the_recipes_order_even_if_the_plan_meets_them_in_another() -> None:
    grid = arrange(
        shots("light_direction", "light_type")[::-1],
        ["light_direction", "light_type"],
        {"light_type": ["ambient", "softbox", "candle", "sunlight"]},
    )
    assert grid.rows == ("right", "left")
    assert grid.columns == ("ambient", "softbox", "sunlight")


def test_one_axis_is_a_list_that_begins_with_the_original() -> None:
    grid = arranged("light_direction")
    assert grid.listed
    (block,) = grid.blocks
    captions = [tile.caption for row in block.rows for tile in row]
    assert captions == ["original", "left", "right"]
    assert block.rows[0][0].original
    assert grid.legend == "light direction"


def test_a_single_image_stands_beside_its_original() -> None:
    grid = arranged()
    assert [[tile.caption for tile in row] for row in grid.blocks[0].rows] == [
        ["original", "relit"]
    ]


def test_a_sparse_sample_is_a_list_and_not_a_grid_of_holes() -> None:
    pairwise = shots(*AXES)[::5]
    grid = arrange(pairwise, list(AXES), {})
    assert grid.listed
    captions = [tile.caption for row in grid.blocks[0].rows for tile in row]
    assert captions[:2] == ["original", "left · softbox · 1 · true"]
    assert len(captions) == len(pairwise) + 1


def test_repeats_are_one_more_axis() -> None:
    some = [
        SheetImage(FrozenMap({**shot.values, "repeat": number}), shot.result)
        for shot in shots("light_direction", "light_type")
        for number in (1, 2)
    ]
    grid = arrange(some, ["light_direction", "light_type"], {})
    assert [block.title for block in grid.blocks] == ["repeat: 1", "repeat: 2"]


def test_a_cell_that_lacks_an_axis_has_the_default() -> None:
    some = [
        *shots("light_direction", "light_type"),
        SheetImage(FrozenMap({"light_type": "softbox"}), None),
    ]
    grid = arrange(some, ["light_direction", "light_type"], {})
    assert grid.rows == ("left", "right", "default")


def test_values_that_look_alike_in_words_but_not_in_type_are_one_label() -> None:
    some = [SheetImage(FrozenMap({"dose": value}), None) for value in (1, 2)]
    assert not arrange(some, ["dose"], {"dose": [2, 1]}).rows
