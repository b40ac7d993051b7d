"""Axes of a page: their values, their order, and what each cell has on them."""

from __future__ import annotations

from dataclasses import replace

from relightflow.gallery.axes import labels, tabulate
from relightflow.gallery.run import GalleryRun
from relightflow.model.values import FrozenMap
from tests.gallery.conftest import Stage


def values(*runs: GalleryRun) -> dict[str, list[object]]:
    found = tabulate(runs, labels(runs))
    return {axis.id: list(axis.values) for axis in found.axes}


def test_values_stand_in_the_recipes_order_and_numbers_in_theirs(stage: Stage) -> None:
    run = stage.run(["a.png"], {"light": ("b", "a"), "n": (10, 9)}, with_bytes=False)
    assert values(run)["light"] == ["b", "a"]
    assert values(run)["n"] == [9, 10]
    assert values(replace(run, known={"light": ("a", "c", "b")}))["light"] == ["a", "b"]


def test_a_value_is_what_javascript_takes_for_the_same(stage: Stage) -> None:
    run = stage.run(["a.png"], {"n": (1, "1", True)}, with_bytes=False)
    entries = [*run.entries, replace(run.entries[0], cell=FrozenMap({"n": 1.0}))]
    assert values(replace(run, entries=entries))["n"] == [1, "1", True]


def test_a_parameter_called_like_one_of_ours_has_an_id_of_its_own(stage: Stage) -> None:
    run = stage.run(["a.png"], {"image": ("x", "y")}, with_bytes=False)
    assert values(run)["parameter_image"] == ["x", "y"]


def test_a_cell_without_a_parameter_has_no_value_there(stage: Stage) -> None:
    run = stage.run(["a.png"], {"light": ("left",)}, with_bytes=False)
    bare = replace(run.entries[0], cell=FrozenMap({"heat": "warm"}))
    found = tabulate([replace(run, entries=[run.entries[0], bare])], ["spring"])
    columns = {
        axis.id: (c, axis.partial) for axis, c in zip(found.axes, found.columns, strict=True)
    }
    assert columns["light"] == ([0, -1], True)
    assert columns["heat"] == ([-1, 0], True)


def test_runs_are_told_apart(stage: Stage) -> None:
    run = stage.run(["a.png"], with_bytes=False)
    other = stage.run(["a.png"], backend="segmind", with_bytes=False)
    assert labels([run, run]) == ["spring preview", "spring preview 2"]
    assert labels([run, other]) == ["spring preview", "spring segmind"]
    by_id = {axis.id: axis for axis in tabulate([run, other], ["a", "b"]).axes}
    assert by_id["run"].hidden, "the backend says it already"
    assert not {axis.id: axis for axis in tabulate([run, run], ["a", "b"]).axes}["run"].hidden


def test_no_name_makes_two_runs_one(stage: Stage) -> None:
    run = stage.run(["a.png"], with_bytes=False)
    odd = replace(run, head=replace(run.head, recipe="spring preview", backend="2"))
    assert labels([run, run, odd]) == ["spring preview", "spring preview 2", "spring preview 2 2"]
