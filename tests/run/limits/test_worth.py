from __future__ import annotations

from fractions import Fraction

from relightflow.run.limits.worth import CallWorth


def test_with_one_price_the_highest_cost_is_what_the_next_call_counts_at() -> None:
    worth = CallWorth(100, None)
    assert worth.after(100, 150).of(100) == 150
    assert worth.after(100, 40).of(100) == 100


def test_with_a_price_for_each_call_all_rise_as_the_dearest_did() -> None:
    worth = CallWorth(300, Fraction(1)).after(100, 130)
    assert (worth.of(100), worth.of(300), worth.of(3)) == (130, 390, 4)
    assert worth.after(0, 7) == worth
    assert worth.after(100, 50) == worth
