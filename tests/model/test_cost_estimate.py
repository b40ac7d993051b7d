from __future__ import annotations

import pytest

from relightflow.model.catalog import FREE, Price
from relightflow.model.cost_estimate import CostEstimate, LimitStatus
from relightflow.model.spending import SpendLimit

PRICE = Price(10, 30)


def _limit(amount: int, committed: int = 0) -> LimitStatus:
    return LimitStatus(SpendLimit(amount, "--max-cost"), committed)


def test_nothing_is_left_of_a_limit_that_is_passed() -> None:
    assert (_limit(30, 10).left, _limit(30, 31).left) == (20, 0)


@pytest.mark.parametrize(
    ("calls", "price", "paid"),
    [(1, PRICE, True), (0, PRICE, False), (1, FREE, False), (1, None, True), (0, None, False)],
)
def test_an_unknown_price_counts_as_money(calls: int, price: Price | None, paid: bool) -> None:
    assert CostEstimate(calls, price).paid is paid


@pytest.mark.parametrize(
    ("estimate", "enough"),
    [
        (CostEstimate(3, PRICE, (_limit(30),)), True),
        (CostEstimate(3, PRICE, (_limit(29),)), False),
        (CostEstimate(3, PRICE, (_limit(40, 11),)), False),
        (CostEstimate(3, PRICE, (_limit(100), _limit(29))), False),
        (CostEstimate(3, PRICE), False),
        (CostEstimate(3, None, (_limit(100),)), False),
        (CostEstimate(0, PRICE), True),
        (CostEstimate(3, FREE), True),
    ],
)
def test_all_limits_must_hold_the_highest_price_and_a_paid_run_needs_one(
    estimate: CostEstimate, enough: bool
) -> None:
    assert estimate.enough is enough
