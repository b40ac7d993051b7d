"""Orders along an axis, and what siblings let expect."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from relightflow.checks.siblings import Ranked, residuals, standings
from relightflow.plugins.check import Measured
from tests.checks.drawn import output


def faulty(*values: float, ranks: tuple[int, ...] = ()) -> list[int]:
    placed = ranks or tuple(range(len(values)))
    items = {
        n: Ranked(rank, value) for n, (rank, value) in enumerate(zip(placed, values, strict=True))
    }
    return [n for n, found in standings(items, 0.1).items() if found.faulty]


def test_what_stands_in_order_is_sound() -> None:
    assert faulty(1, 2, 3, 4) == []
    assert faulty(-1, 0.3, -0.2, 1, ranks=(-1, 0, 0, 1)) == [], "equals need no order"


def test_the_one_that_the_others_contradict_is_faulty() -> None:
    assert faulty(1, 2, 3, 1.5) == [3]
    assert faulty(9, 2, 3, 4) == [0]


def test_a_swapped_pair_is_faulty_as_a_pair_whoever_stands_between() -> None:
    assert faulty(2, 1) == [0, 1]
    assert faulty(1, 3, 2, 4) == [1, 2]
    assert faulty(4, 2, 3, 1) == [0, 3]


def test_differences_that_mean_nothing_make_nobody_faulty() -> None:
    assert faulty(1.05, 1, 1.02) == []


def test_margins_are_to_the_nearest_sound_neighbour() -> None:
    items = {0: Ranked(0, 1.0), 1: Ranked(1, 3.0), 2: Ranked(2, 3.5)}
    assert [round(s.margin or 0, 3) for s in standings(items, 0.1).values()] == [2.0, 0.5, 0.5]
    alone = standings({0: Ranked(0, 1.0)}, 0.1)[0]
    assert alone.margin is None


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=8))
def test_it_always_ends_and_leaves_somebody_out_of_every_order(values: list[float]) -> None:
    found = standings({n: Ranked(n, value) for n, value in enumerate(values)}, 0.1)
    sound = [values[n] for n, one in found.items() if not one.faulty]
    assert len(found) == len(values)
    assert all(later > sooner - 0.1 - 1e-9 for sooner, later in pairwise(sound))


def test_axes_explain_what_their_values_have_in_common() -> None:
    cells = [{"i": i, "d": d} for i in ("low", "high") for d in ("a", "b", "c", "d")]
    values = [{"low": -2.0, "high": 1.0}[cell["i"]] for cell in cells]
    values[5] -= 1.5
    results = [
        Measured(output(n, cell), "", v)
        for n, (cell, v) in enumerate(zip(cells, values, strict=True))
    ]
    found = residuals(results, lambda item: item.value)
    assert [round(one or 0, 2) for one in found] == [0, 0, 0, 0, 0, -1.5, 0, 0]
    assert residuals(results[:2], lambda item: item.value) == [None, None]
