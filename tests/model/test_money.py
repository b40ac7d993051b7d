from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.money import dollars, micros, usd, valid_cost


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("0.05", 50_000),
        (0.05, 50_000),
        (" 1 ", 1_000_000),
        ("1e-6", 1),
        ("0.0000001", 1),
        ("0.0500001", 50_001),
        (0.1 + 0.2, 300_001),
        ("-0", 0),
        ("12345678901234567890", 12345678901234567890_000_000),
    ],
)
def test_dollars_are_rounded_up_to_a_micro_dollar(amount: str | float, expected: int) -> None:
    assert micros(amount) == expected


def test_a_digit_beyond_the_decimals_of_a_context_is_rounded_up_too() -> None:
    assert micros("0.05" + "0" * 40 + "1") == 50_001


@pytest.mark.parametrize(
    "amount", ["nan", "sNaN", "inf", "-inf", "1e999", "-0.01", -1.0, "", "5$", "0x10", "1,50", True]
)
def test_what_is_no_amount_is_refused_with_its_text(amount: str | float) -> None:
    with pytest.raises(ValueError, match="is not an amount in USD"):
        micros(amount)


@pytest.mark.parametrize(("cost", "expected"), [(0, 0), (1.2, 2), (50_000, 50_000), (-0.0, 0)])
def test_a_reported_cost_is_rounded_up(cost: float, expected: int) -> None:
    assert valid_cost(cost) == expected


@pytest.mark.parametrize(
    "cost", [None, -1, -0.5, float("nan"), float("inf"), -float("inf"), 1 << 62, 10**400, 1e300]
)
def test_a_reported_cost_that_no_ledger_can_hold_is_none(cost: float | None) -> None:
    assert valid_cost(cost) is None


def test_the_largest_cost_is_taken() -> None:
    assert valid_cost((1 << 62) - 1) == (1 << 62) - 1


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0.00"),
        (50_000, "0.05"),
        (12_800_000, "12.80"),
        (3_700, "0.0037"),
        (1, "0.000001"),
        (1_234_567_000_000, "1,234,567.00"),
        (-50_000, "-0.05"),
    ],
)
def test_an_amount_is_shown_with_cents_and_no_idle_digit(amount: int, text: str) -> None:
    assert dollars(amount) == text


@given(st.integers(0, 10**15))
def test_what_is_shown_and_what_is_written_are_the_same_amount(amount: int) -> None:
    assert micros(dollars(amount).replace(",", "")) == amount
    assert round(usd(amount) * 1_000_000) == amount
