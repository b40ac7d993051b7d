from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.recipe import Axis, Matrix
from relightflow.model.values import FrozenMap
from relightflow.plan.matrix import Cells, pick
from relightflow.plan.spelling import spell


def literal(matrix: Matrix) -> list[dict[str, Any]]:
    """GitHub's sentences, word by word and slowly."""
    names = [axis.name for axis in matrix.axes]

    def same(one: Any, other: Any) -> bool:
        return spell(one) == spell(other)

    combinations = [
        dict(zip(names, values, strict=True))
        for values in product(*(axis.values for axis in matrix.axes))
    ]
    if not names and matrix.include:
        combinations = []
    originals = [
        combination
        for combination in combinations
        if not any(
            all(k in combination and same(combination[k], v) for k, v in entry.items())
            for entry in matrix.exclude
        )
    ]
    extended = [dict(original) for original in originals]
    added = []
    for entry in matrix.include:
        fits = False
        for original, cell in zip(originals, extended, strict=True):
            if all(k not in original or same(original[k], v) for k, v in entry.items()):
                cell.update((k, v) for k, v in entry.items() if k not in original)
                fits = True
        if not fits:
            added.append(dict(entry))
    return extended + added


VALUES: st.SearchStrategy[Any] = st.sampled_from(["x", "y", 1, 2, True, "1"])


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    names = draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=4))
    axes = [
        Axis(n, tuple(draw(st.lists(VALUES, min_size=1, max_size=4, unique_by=spell))))
        for n in names
    ]
    known = names or ["a"]
    entry = st.dictionaries(st.sampled_from(known), VALUES, min_size=1, max_size=4)
    exclude = draw(st.lists(entry, max_size=6)) if names else []
    more = st.dictionaries(st.sampled_from("abcdef"), VALUES, min_size=1, max_size=4)
    include = draw(st.lists(more, max_size=6))
    return Matrix(tuple(axes), tuple(map(FrozenMap, exclude)), tuple(map(FrozenMap, include)))


@given(matrices())
def test_cells_are_those_of_githubs_rules_in_their_order(matrix: Matrix) -> None:
    assert [dict(cell) for cell in Cells(matrix)] == literal(matrix)


@given(matrices())
def test_counted_without_building_is_what_is_built(matrix: Matrix) -> None:
    cells = Cells(matrix)
    assert cells.total == len(list(cells))


@given(matrices())
def test_a_cell_can_be_found_by_its_position(matrix: Matrix) -> None:
    cells = Cells(matrix)
    assert [cells[i] for i in range(len(cells))] == list(cells)


def test_githubs_own_example(make: Any) -> None:
    matrix = make.matrix(
        {"fruit": ["apple", "pear"], "animal": ["cat", "dog"]},
        include=(
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ),
    )
    assert [dict(cell) for cell in Cells(matrix)] == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_the_first_axis_is_outermost(make: Any) -> None:
    cells = Cells(make.matrix({"a": ["x", "y"], "b": [1, 2]}))
    assert [(c["a"], c["b"]) for c in cells] == [("x", 1), ("x", 2), ("y", 1), ("y", 2)]


def test_no_axes_and_no_includes_is_one_cell_of_defaults() -> None:
    assert list(Cells(Matrix())) == [FrozenMap()]


def test_includes_alone_are_the_cells(make: Any) -> None:
    cells = Cells(make.matrix({}, include=({"a": "x"}, {"a": "y"})))
    assert [dict(c) for c in cells] == [{"a": "x"}, {"a": "y"}]


def test_a_combination_that_is_excluded_comes_back_when_included(make: Any) -> None:
    again = ({"a": "x", "b": 1},)
    cells = Cells(make.matrix({"a": ["x", "y"], "b": [1]}, exclude=again, include=again))
    assert [dict(c) for c in cells] == [{"a": "y", "b": 1}, {"a": "x", "b": 1}]


def test_an_include_that_touches_every_cell_is_warned_about(make: Any) -> None:
    cells = Cells(make.matrix({"a": ["x", "y"]}, include=({"a": "z"}, {"b": 1})))
    assert [path for path, _ in cells.warnings] == ["matrix.include[1]"]


def test_an_include_leaves_an_axis_as_the_recipe_spells_it(make: Any) -> None:
    (cell,) = Cells(make.matrix({"a": [1]}, include=({"a": 1.0, "b": 2},)))
    assert repr(cell["a"]) == "1"


def test_an_include_that_touches_some_cells_is_not_warned_about(make: Any) -> None:
    assert not Cells(make.matrix({"a": ["x", "y"]}, include=({"a": "x", "b": 1},))).warnings


def test_an_astronomic_matrix_is_counted_at_once(make: Any) -> None:
    axes = {f"a{i}": list(range(1000)) for i in range(20)}
    exclude = tuple({"a0": i, "a19": i} for i in range(300))
    assert Cells(make.matrix(axes, exclude)).total == 1000**20 - 300 * 1000**18


def test_a_cell_of_an_astronomic_matrix_is_found_at_once(make: Any) -> None:
    cells = Cells(make.matrix({f"a{i}": list(range(10)) for i in range(15)}, ({"a0": 0},)))
    assert [cells[len(cells) - 1][f"a{i}"] for i in range(15)] == [9] * 15


@given(matrices(), st.data())
def test_picking_twice_is_picking_what_was_picked(matrix: Matrix, data: st.DataObject) -> None:
    cells = Cells(matrix)
    some = data.draw(st.lists(st.integers(0, len(cells) - 1), unique=True)) if len(cells) else []
    once = pick(cells, sorted(some))
    assert list(pick(once, range(len(once))[::2])) == [cells[i] for i in sorted(some)[::2]]


def test_a_thousand_includes_of_the_same_cell_are_held_as_one(make: Any) -> None:
    include = tuple({"a": "x", "d": n, "e": n} for n in range(1000))
    cells = Cells(make.matrix({"a": ["x", "y"]}, include=include))
    assert [dict(cell) for cell in cells] == [{"a": "x", "d": 999, "e": 999}, {"a": "y"}]
    (by_values,) = cells._extending.values()
    assert sum(map(len, by_values.values())) == 2


def test_of_includes_with_other_axes_the_later_one_holds_and_the_first_gives_the_order(
    make: Any,
) -> None:
    include = ({"a": "x", "d": 1}, {"b": "u", "e": 2, "d": 2}, {"a": "x", "e": 3})
    cells = Cells(make.matrix({"a": ["x"], "b": ["u", "v"]}, include=include))
    assert [list(cell.items()) for cell in cells] == [
        [("a", "x"), ("b", "u"), ("d", 2), ("e", 3)],
        [("a", "x"), ("b", "v"), ("d", 1), ("e", 3)],
    ]
