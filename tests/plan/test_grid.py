from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.recipe import Axis
from relightflow.model.values import FrozenMap
from relightflow.plan.grid import Combination, Grid, Tangled


@st.composite
def cases(draw: st.DrawFn) -> tuple[Grid, list[Combination]]:
    """A grid, and the combinations it should have, found by looking at every one."""
    sizes = draw(st.lists(st.integers(1, 4), max_size=4))
    axes = [Axis(f"a{i}", tuple(range(size))) for i, size in enumerate(sizes)]
    value = {f"a{i}": st.integers(0, size) for i, size in enumerate(sizes)}
    entries: list[dict[str, Any]] = draw(
        st.lists(st.fixed_dictionaries({}, optional=value), max_size=8)
    )
    left = [
        chosen
        for chosen in product(*map(range, sizes))
        if not any(all(chosen[int(n[1:])] == v for n, v in e.items()) for e in entries)
    ]
    return Grid(axes, [FrozenMap(entry) for entry in entries]), left


@given(cases())
def test_what_exclude_leaves_is_found_in_order(case: tuple[Grid, list[Combination]]) -> None:
    grid, left = case
    assert list(grid) == left


@given(cases(), st.dictionaries(st.integers(0, 3), st.integers(0, 3)))
def test_combinations_with_given_values_are_counted(
    case: tuple[Grid, list[Combination]], fixed: dict[int, int]
) -> None:
    grid, left = case
    fixed = {a: v for a, v in fixed.items() if a < len(grid.names) and v < len(grid.values[a])}
    expected = sum(all(chosen[a] == v for a, v in fixed.items()) for chosen in left)
    assert grid.count(fixed) == expected


@given(cases())
def test_each_is_found_by_its_position(case: tuple[Grid, list[Combination]]) -> None:
    grid, left = case
    assert [grid.at(i) for i in range(grid.total)] == left


def test_a_value_written_twice_is_noticed() -> None:
    assert not Grid([Axis("a", (1, 1.0))]).distinct


def test_true_is_not_one() -> None:
    assert Grid([Axis("a", (1, True))], [FrozenMap({"a": True})]).total == 1


def test_patterns_beyond_counting_are_refused_and_not_endless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("relightflow.plan.grid.MOST_BYTES", 100_000)
    axes = [Axis(f"a{i}", tuple(range(10))) for i in range(40)]
    knots = [FrozenMap({f"a{i}": i % 7, f"a{(i * 7 + 3) % 40}": 1}) for i in range(40)]
    with pytest.raises(Tangled):
        Grid(axes, knots)


MANY = 12_000


def test_a_thousand_excluded_values_of_one_axis_take_no_step_each() -> None:
    grid = Grid([Axis("a", tuple(range(MANY)))], [FrozenMap({"a": n}) for n in range(MANY - 1)])
    assert list(grid) == [(MANY - 1,)]
    assert grid.at(0) == (MANY - 1,)
    assert grid.steps == 0


def test_an_exclude_that_is_given_a_thousand_times_is_one() -> None:
    axes = [Axis("a", tuple(range(10))), Axis("b", tuple(range(10)))]
    grid = Grid(axes, [FrozenMap({"b": 2, "a": 1})] * MANY)
    assert grid.total == 99
    assert grid.steps < 10


@pytest.mark.parametrize("others", [3, MANY])
def test_excluded_pairs_take_a_few_steps_each(others: int) -> None:
    axes = [Axis("a", tuple(range(MANY))), Axis("b", tuple(range(others)))]
    grid = Grid(axes, [FrozenMap({"a": n, "b": n % others}) for n in range(MANY)])
    assert grid.total == MANY * (others - 1)
    assert grid.steps < 6 * MANY


def test_a_cell_of_a_long_axis_is_found_without_walking_along_it() -> None:
    axes = [Axis("a", tuple(range(MANY))), Axis("b", (0, 1, 2))]
    grid = Grid(axes, [FrozenMap({"a": n, "b": n % 3}) for n in range(MANY)])
    found = [grid.at(n) for n in range(0, 2 * MANY, 2)]
    assert found == [(n, min(v for v in range(3) if v != n % 3)) for n in range(MANY)]
    assert grid.steps < 10 * MANY


def test_an_empty_exclude_takes_everything() -> None:
    grid = Grid([Axis("a", (1, 2))], [FrozenMap({})])
    assert (grid.total, list(grid), grid.count({0: 1})) == (0, [], 0)
