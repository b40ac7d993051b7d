from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.recipe import Axis
from relightflow.model.values import FrozenMap
from relightflow.plan.grid import Combination, Grid
from relightflow.plan.pairwise import fewest, pairwise

Pair = tuple[int, int, int, int]


def grid_of(sizes: list[int], exclude: list[dict[int, int]] | None = None) -> Grid:
    axes = [Axis(f"a{i}", tuple(range(size))) for i, size in enumerate(sizes)]
    entries = [FrozenMap({f"a{i}": v for i, v in entry.items()}) for entry in exclude or []]
    return Grid(axes, entries)


def pairs(rows: list[Combination]) -> set[Pair]:
    return {(a, row[a], b, row[b]) for row in rows for a, b in combinations(range(len(row)), 2)}


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    value = {i: st.integers(0, size - 1) for i, size in enumerate(sizes)}
    entry = st.fixed_dictionaries({}, optional=value).filter(bool)
    return grid_of(sizes, draw(st.lists(entry, max_size=8)))


@given(grids())
def test_every_pair_that_exclude_leaves_is_covered(grid: Grid) -> None:
    assert pairs(pairwise(grid, 10**6)) == pairs(list(grid))


@given(grids())
def test_only_combinations_that_exclude_leaves_are_taken(grid: Grid) -> None:
    assert set(pairwise(grid, 10**6)) <= set(grid)


@given(grids())
def test_no_combination_is_taken_twice_and_they_keep_the_plans_order(grid: Grid) -> None:
    rows = pairwise(grid, 10**6)
    assert rows == sorted(set(rows))


@given(grids())
def test_at_least_as_many_as_the_bound_says(grid: Grid) -> None:
    assert len(pairwise(grid, 10**6)) >= fewest(grid)


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ([4] * 4, 16),
        ([5] * 4, 25),
        ([4] * 5, 16),
        ([3] * 4, 9),
        ([5] * 6, 25),
        ([7, 3, 2, 9], 63),
        ([5], 5),
    ],
)
def test_as_few_combinations_as_can_be(sizes: list[int], count: int) -> None:
    assert len(pairwise(grid_of(sizes), 10**6)) == count


@pytest.mark.parametrize(
    ("sizes", "count"), [([2] * 10, 9), ([3] * 13, 20), ([40, 40, 3, 2], 1600)]
)
def test_no_more_combinations_than_once_reached(sizes: list[int], count: int) -> None:
    assert len(pairwise(grid_of(sizes), 10**6)) <= count


def test_it_stops_soon_after_too_many() -> None:
    assert len(pairwise(grid_of([60, 60, 60]), 100)) == 101
