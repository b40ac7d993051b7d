from __future__ import annotations

from relightflow.model.spending import SpendLimit
from relightflow.run.limits.account import Account, OpenCall, listed_price

CHEAP, DEAR = OpenCall(10, ("one", "cheap")), OpenCall(100, ("other", "dear"))


def test_open_calls_count_at_what_each_is_worth() -> None:
    account = Account(SpendLimit(1000, "--max-cost"), spent=5, reserved=7)
    account.in_flight[CHEAP], account.unknown[DEAR] = 2, 1
    assert account.committed() == 5 + 7 + 2 * 10 + 100
    assert account.committed(lambda call: 3 * call.price) == 5 + 7 + 3 * 120


def test_of_what_open_calls_may_cost_above_that_the_most_of_one_is_left_out() -> None:
    account = Account(SpendLimit(1000, "--max-cost"))
    assert account.surcharge(listed_price) == 0
    account.unknown[DEAR] = 1
    assert account.surcharge(listed_price) == 0, (
        "one unknown outcome keeps no exact cap from being used"
    )
    account.unknown[DEAR], account.in_flight[CHEAP] = 2, 3
    assert account.surcharge(listed_price) == 50 + 3 * 5
    assert account.surcharge(lambda call: 2 * call.price) == 0
