from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.failure import Billed, Failure, Kind
from relightflow.run.retry import (
    CAP,
    LEAST_PAUSE,
    MOST_PAUSE,
    GiveUp,
    Retry,
    Tally,
    backoff,
    decide,
    decide_collect,
    pause,
)

RETRIES = {Kind.UNSENT: 5, Kind.UNAVAILABLE: 2}
"""Submits that are made again, and how often; RATE_LIMITED is another matter."""


def submits_again(kind: Kind, billed: Billed = Billed.NO, most: int = 20) -> int:
    tally, rng = Tally(), Random(1)
    for count in range(most):
        verdict = decide(Failure(kind, "it broke", billed), tally, rng)
        if isinstance(verdict, GiveUp):
            return count
        tally = verdict.tally
    return most


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.RATE_LIMITED])
def test_each_kind_is_retried_as_its_rule_says(kind: Kind) -> None:
    assert submits_again(kind) == RETRIES.get(kind, 0)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("billed", [Billed.YES, Billed.UNKNOWN])
def test_what_may_be_billed_is_never_sent_again(kind: Kind, billed: Billed) -> None:
    assert submits_again(kind, billed) == 0


def test_a_rate_limit_costs_no_retry_and_waits_at_the_gate() -> None:
    tally = Tally(unsent=5, unavailable=2)
    assert decide(Failure(Kind.RATE_LIMITED, "429"), tally, Random(1)) == Retry(0.0, tally)


def test_the_two_counts_are_apart() -> None:
    verdict = decide(Failure(Kind.UNAVAILABLE, "502"), Tally(unsent=5), Random(1))
    assert isinstance(verdict, Retry)
    assert verdict.tally == Tally(unsent=5, unavailable=1)


def test_giving_up_says_how_often_it_was_tried() -> None:
    verdict = decide(Failure(Kind.UNAVAILABLE, "502"), Tally(unavailable=2), Random(1))
    assert isinstance(verdict, GiveUp)
    assert verdict.failure.message == "502 (tried 3 times)"


@given(tries=st.integers(0, 10_000), seed=st.integers())
def test_backoff_stays_within_its_bounds(tries: int, seed: int) -> None:
    assert 0 <= backoff(tries, Random(seed)) <= min(CAP, 0.5 * 2 ** min(tries, 20))


def test_backoff_uses_the_whole_width() -> None:
    waits = [backoff(3, Random(seed)) for seed in range(200)]
    assert min(waits) < 0.4
    assert max(waits) > 3.6


@pytest.mark.parametrize(
    ("said", "used"),
    [
        (None, None),
        (math.nan, None),
        (-5.0, LEAST_PAUSE),
        (0.0, LEAST_PAUSE),
        (7.5, 7.5),
        (1e9, MOST_PAUSE),
        (math.inf, MOST_PAUSE),
    ],
)
def test_a_reset_is_clamped(said: float | None, used: float | None) -> None:
    assert pause(said) == used


PASSING = [Kind.UNSENT, Kind.UNAVAILABLE, Kind.RATE_LIMITED, Kind.PENDING]


@pytest.mark.parametrize("kind", PASSING)
def test_collecting_goes_on_until_the_result_would_expire(kind: Kind) -> None:
    tally, rng, left, looks = Tally(), Random(1), 3600.0, 0
    while isinstance(verdict := decide_collect(Failure(kind, "slow"), tally, left, rng), Retry):
        assert LEAST_PAUSE <= verdict.after <= LEAST_PAUSE + CAP
        tally, left, looks = verdict.tally, left - verdict.after, looks + 1
        assert left > 0
    assert looks > 100
    assert left < LEAST_PAUSE + CAP
    assert verdict.failure.kind is Kind.PENDING


@pytest.mark.parametrize("kind", [k for k in Kind if k not in {*PASSING, Kind.EXPIRED}])
def test_a_final_answer_while_collecting_is_final(kind: Kind) -> None:
    failure = Failure(kind, "final")
    assert decide_collect(failure, Tally(), 3600.0, Random(1)) == GiveUp(failure)


def test_a_request_that_is_missing_within_its_time_is_looked_for_five_times_in_a_minute() -> None:
    failure, tally, waits = Failure(Kind.EXPIRED, "404"), Tally(), list[float]()
    while isinstance(verdict := decide_collect(failure, tally, 3000.0, Random(1)), Retry):
        waits.append(verdict.after)
        tally = verdict.tally
    assert len(waits) + 1 == 5
    assert sum(waits) == 60
    assert verdict.failure is failure


def test_a_request_that_is_missing_after_its_time_is_expired_at_once() -> None:
    failure = Failure(Kind.EXPIRED, "404")
    assert decide_collect(failure, Tally(), 0.0, Random(1)) == GiveUp(failure)
