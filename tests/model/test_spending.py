from __future__ import annotations

import pytest

from relightflow.model.spending import Allowance, Charge, Kind, allowance, span


@pytest.mark.parametrize(
    ("text", "amount", "seconds"),
    [
        ("20/7d", 20_000_000, 7 * 86_400),
        ("5/12h", 5_000_000, 12 * 3_600),
        (" 0.000001/w ", 1, 7 * 86_400),
        ("0/d", 0, 86_400),
        ("9999999/9999w", 9_999_999_000_000, 9_999 * 7 * 86_400),
    ],
)
def test_a_budget_is_an_amount_in_a_window(text: str, amount: int, seconds: float) -> None:
    assert allowance(text) == Allowance(amount, seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "20",
        "20/",
        "20/0d",
        "20/7m",
        "-1/d",
        "1e3/d",
        "nan/d",
        "20/7 d",
        "1.0000001/d",
        "٢/d",
        "20/10000d",
        "20/7d/7d",
    ],
)
def test_what_is_no_budget_is_told_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="use the form USD/window, such as 20/7d or 5/12h"):
        allowance(text)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (7 * 86_400, "7 days"),
        (86_400, "1 day"),
        (12 * 3_600, "12 hours"),
        (90, "90 seconds"),
        (60, "1 minute"),
        (86_400 * 1_400, "1,400 days"),
        (0.5, "0.5 seconds"),
    ],
)
def test_a_window_is_told_in_its_largest_whole_unit(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("price", "cost", "floor", "reported", "counted"),
    [
        (50, None, 40, 50, 50),
        (50, 45, 40, 45, 45),
        (50, 10, 40, 10, 40),
        (50, 10, None, 10, 50),
        (50, 90, 40, 90, 90),
        (50, 0, 0, 0, 0),
    ],
)
def test_a_cost_below_the_price_list_counts_as_the_lists(
    price: int, cost: int | None, floor: int | None, reported: int, counted: int
) -> None:
    charge = Charge(1, "r", "b", "m", 0.0, Kind.SPENT, price, cost, floor)
    assert (charge.reported, charge.counted) == (reported, counted)
