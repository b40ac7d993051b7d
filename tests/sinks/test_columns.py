from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from relightflow.model.values import FrozenMap
from relightflow.plugins.sink import FinishedRun
from relightflow.sinks.columns import Kinds, columns
from tests.sinks.samples import of, sample


def cells(folder: Path, *given: dict[str, Any]) -> FinishedRun:
    run = sample(folder)
    output, result = next(run.outputs())
    return replace(
        of(run, [(replace(output, cell=FrozenMap(cell)), result) for cell in given]), axes=()
    )


def test_a_column_has_one_type(tmp_path: Path) -> None:
    run = cells(tmp_path, {"a": 1, "b": 1}, {"a": "auto", "b": 2.5}, {"a": True, "b": None})
    table = columns(run, ())
    rows = [dict(table.row(output.cell)) for output, _ in run.outputs()]
    assert [row["a"] for row in rows] == ["1", "auto", "true"]
    assert [row["b"] for row in rows] == [1, 2.5, None]


def test_every_row_has_every_column(tmp_path: Path) -> None:
    table = columns(cells(tmp_path, {"a": 1}, {"b": 2}), ())
    assert dict(table.row({"b": 2})) == {"a": None, "b": 2}


def test_axes_stand_in_the_recipes_order(tmp_path: Path) -> None:
    run = replace(cells(tmp_path, {"b": 1, "a": 2}), axes=("a", "b"))
    assert list(columns(run, ()).names) == ["a", "b"]


def test_a_name_that_is_taken_gets_another(tmp_path: Path) -> None:
    table = columns(cells(tmp_path, {"cost": 1}), ("cost",))
    assert dict(table.row({"cost": 1})) == {"parameter_cost": 1}


def test_columns_without_a_gap_are_text_where_some_row_has_no_value() -> None:
    kinds = Kinds(("a",))
    for row in ({"a": 1, "b": 2}, {"a": 2}, {"a": 3, "b": None, "c": "x"}):
        kinds.note(row)
    table = kinds.whole()
    assert dict(table.row({"a": 1, "b": 2})) == {"a": 1, "b": "2", "c": ""}
    assert dict(table.row({"a": 2, "c": "x"})) == {"a": 2, "b": "", "c": "x"}
