from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.run.limits.budget import Budget, Cap, cap_in_force

moves = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "release", "hold", "resume"]),
        st.integers(0, 400),
        st.integers(0, 50),
        st.floats(0, 1),
    ),
    max_size=80,
)


@given(cap=st.integers(0, 2000), spent=st.integers(0, 500), held=st.integers(0, 500), moves=moves)
def test_no_sequence_of_calls_passes_the_cap(
    cap: int, spent: int, held: int, moves: list[tuple[str, int, int, float]]
) -> None:
    budget = Budget(cap, spent=spent, held=held)
    limit = max(cap, spent + held)
    flight: list[int] = []
    parked: list[int] = []
    real = spent
    for move, price, which, part in moves:
        if move == "reserve":
            if budget.reserve(price):
                flight.append(price)
        elif move == "resume":
            if parked:
                flight.append(parked.pop(which % len(parked)))
                budget.resume(flight[-1])
        elif flight:
            reserved = flight.pop(which % len(flight))
            if move == "settle":
                cost = None if part > 0.9 else math.floor(part * reserved)
                budget.settle(reserved, cost)
                real += reserved if cost is None else cost
            elif move == "release":
                budget.release(reserved)
            else:
                budget.hold(reserved)
                parked.append(reserved)
        assert budget.spent == real
        assert budget.in_flight == sum(flight)
        assert budget.held == held + sum(parked)
        assert budget.spent + budget.in_flight + budget.held <= limit


@given(cap=st.integers(1, 100), price=st.integers(1, 100))
def test_a_cap_buys_as_much_as_it_can(cap: int, price: int) -> None:
    budget = Budget(cap)
    bought = 0
    while budget.reserve(price):
        bought += 1
    assert bought == cap // price
    assert budget.left == cap % price


@pytest.mark.parametrize("cost", [None, math.nan, math.inf, -math.inf, -1, -0.5])
def test_a_cost_that_is_none_counts_as_the_highest_price(cost: float | None) -> None:
    budget = Budget(100)
    budget.reserve(60)
    settled = budget.settle(60, cost)
    assert (settled.cost, settled.overcharged, budget.spent) == (60, False, 60)


@pytest.mark.parametrize(("cost", "over"), [(59, False), (60, False), (90, False), (91, True)])
def test_more_than_half_as_much_again_is_an_overcharge(cost: int, over: bool) -> None:
    budget = Budget(1000)
    budget.reserve(60)
    assert budget.settle(60, cost).overcharged is over
    assert budget.spent == cost


def test_anything_charged_for_something_free_is_an_overcharge() -> None:
    budget = Budget(None)
    budget.reserve(0)
    assert budget.settle(0, 1).overcharged


def test_something_free_is_allowed_when_the_cap_is_reached() -> None:
    budget = Budget(10, spent=10)
    assert not budget.reserve(1)
    assert budget.reserve(0)


def test_without_a_cap_everything_is_allowed() -> None:
    budget = Budget(None)
    assert budget.reserve(10**12)
    assert budget.left is None


def test_an_overcharge_stops_further_calls() -> None:
    budget = Budget(100)
    budget.reserve(50)
    budget.settle(50, 120)
    assert budget.left == 0
    assert not budget.reserve(1)


def test_money_that_was_never_set_aside_cannot_be_given_back() -> None:
    budget = Budget(100)
    budget.reserve(10)
    for wrong, amount in ((budget.release, 11), (budget.hold, 11), (budget.resume, 1)):
        with pytest.raises(ValueError, match="never"):
            wrong(amount)
    with pytest.raises(ValueError, match="negative"):
        budget.reserve(-1)


def test_the_lowest_cap_is_in_force() -> None:
    assert cap_in_force(5, 7, 9) == Cap(5, "limits.max_cost")
    assert cap_in_force(9, 7, 8) == Cap(7, "--max-cost")
    assert cap_in_force(9, None, 8) == Cap(8, "RELIGHTFLOW_MAX_COST")
    assert cap_in_force(0, 7, None) == Cap(0, "limits.max_cost")
    assert cap_in_force(None, None, None).amount is None
