from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.backends.http.rate_limit_headers import RESET, reset_after

DATE = "Mon, 23 Nov 2026 12:00:00 GMT"
AT = 1795435200.0


def after(reset: str, date: str = DATE, now: float | None = None) -> float | None:
    return reset_after({RESET: reset, "Date": date}, now)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T12:00:30Z",
        "2026-11-23T12:00:30+00:00",
        "2026-11-23T14:00:30+02:00",
        "2026-11-23T12:00:30",
        "2026-11-23T12:00:30.000",
        "2026-11-23 12:00:30",
        "2026-11-23 12:00:30 UTC",
        "1795435230",
        "1795435230.0",
        "1795435230000",
        "Mon, 23 Nov 2026 12:00:30 GMT",
    ],
)
def test_reads_every_format(text: str) -> None:
    assert after(text) == 30.0


def test_a_reset_in_the_past_is_now() -> None:
    assert after("2026-11-23T11:00:00Z") == 0.0


def test_a_reset_far_away_is_passed_on() -> None:
    assert after("2026-11-24T12:00:00Z") == 86_400.0


@pytest.mark.parametrize("text", ["", "soon", "-5", "NaN", "1e400", "9" * 60, "2026-99-99", "60"])
def test_garbage_says_nothing(text: str) -> None:
    assert after(text) is None


def test_our_clock_does_not_matter_where_the_answer_has_a_date() -> None:
    assert after("2026-11-23T12:00:30Z", now=0.0) == 30.0


def test_without_a_date_our_clock_stands_in() -> None:
    assert after("2026-11-23T12:00:30Z", date="", now=AT) == 30.0


def test_without_any_clock_nothing_is_said() -> None:
    assert after("2026-11-23T12:00:30Z", date="") is None


def test_a_proxys_retry_after_is_used_where_nothing_better_is_there() -> None:
    assert reset_after({"Retry-After": "12", "Date": DATE}) == 12.0
    assert reset_after({"Retry-After": "Mon, 23 Nov 2026 12:00:09 GMT", "Date": DATE}) == 9.0


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_gives_a_finite_wait_or_none(reset: str, date: str) -> None:
    found = after(reset, date, now=AT)
    assert found is None or (found >= 0 and math.isfinite(found))
