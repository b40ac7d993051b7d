from __future__ import annotations

import math
from random import Random

import pytest

from relightflow.backends.http.rate_limit_headers import reset_after
from relightflow.backends.http.server_clock import ServerClock

SKEW = 7_000_000.4
"""Server's Unix seconds minus our monotonic ones."""


def hear(clock: ServerClock, came: float, trip: float = 0.02) -> float:
    """One answer, whose head was written half a trip before it came; its `Date`."""
    date = math.floor(came - trip / 2 + SKEW)
    clock.heard(date, came - trip, came)
    return date


def test_nothing_is_claimed_before_anything_was_heard() -> None:
    assert ServerClock().late(1_000.0, 5.0) == 0.0


def test_many_answers_leave_little_of_the_second() -> None:
    clock, rng = ServerClock(), Random(1)
    for _ in range(60):
        hear(clock, rng.uniform(0, 60))
    date = hear(clock, 61.3)
    truth = 61.3 + SKEW - date
    assert truth - 0.1 <= clock.late(date, 61.3) <= truth


def test_it_never_claims_more_than_is_sure() -> None:
    rng = Random(2)
    for _ in range(200):
        clock, trip = ServerClock(), rng.uniform(0.001, 2)
        for _ in range(20):
            came = rng.uniform(0, 60)
            date = hear(clock, came, trip)
            assert 0.0 <= clock.late(date, came) <= came + SKEW - date


def test_a_clock_that_is_put_right_begins_anew() -> None:
    clock = ServerClock()
    hear(clock, 10.0)
    clock.heard(5_000.0, 10.9, 11.0)
    assert clock.late(5_000.0, 11.0) == 0.0


def test_a_reset_counts_from_within_the_second() -> None:
    headers = {
        "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
        "x-rate-limit-reset-at-utc": "2026-11-23T12:00:05.500Z",
    }
    assert reset_after(headers) == 5.5
    assert reset_after(headers, late=0.7) == pytest.approx(4.8)
