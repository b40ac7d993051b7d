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
