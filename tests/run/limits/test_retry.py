from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.run.limits.retry import (
    CAP,
    LEAST_PAUSE,
    MOST_PAUSE,
    GiveUp,
    Retry,
    RetryCounts,
    backoff,
    decide,
    decide_collect,
    pause,
)

RETRIES = {FailureKind.UNSENT: 5, FailureKind.UNAVAILABLE: 2}
"""Submits that are made again, and how often; RATE_LIMITED is another matter."""


def submits_again(kind: FailureKind, billed: Billed = Billed.NO, most: int = 20) -> int:
    counts, rng = RetryCounts(), Random(1)
    for count in range(most):
        error = decide(Failure(kind, "it broke", billed), counts, rng)
        if isinstance(error, GiveUp):
            return count
        counts = error.counts
    return most


@pytest.mark.parametrize(
    "kind", [kind for kind in FailureKind if kind is not FailureKind.RATE_LIMITED]
)
def test_each_kind_is_retried_as_its_rule_says(kind: FailureKind) -> None:
    assert submits_again(kind) == RETRIES.get(kind, 0)


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("billed", [Billed.YES, Billed.UNKNOWN])
def test_what_may_be_billed_is_never_sent_again(kind: FailureKind, billed: Billed) -> None:
    assert submits_again(kind, billed) == 0


def test_a_rate_limit_costs_no_retry_and_waits_at_the_gate() -> None:
    counts = RetryCounts(unsent=5, unavailable=2)
    assert decide(Failure(FailureKind.RATE_LIMITED, "429"), counts, Random(1)) == Retry(0.0, counts)


def test_the_two_counts_are_apart() -> None:
    error = decide(Failure(FailureKind.UNAVAILABLE, "502"), RetryCounts(unsent=5), Random(1))
    assert isinstance(error, Retry)
    assert error.counts == RetryCounts(unsent=5, unavailable=1)


def test_giving_up_says_how_often_it_was_tried() -> None:
    error = decide(Failure(FailureKind.UNAVAILABLE, "502"), RetryCounts(unavailable=2), Random(1))
    assert isinstance(error, GiveUp)
    assert error.failure.message == "502 (tried 3 times)"


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


PASSING = [
    FailureKind.UNSENT,
    FailureKind.UNAVAILABLE,
    FailureKind.RATE_LIMITED,
    FailureKind.PENDING,
]


@pytest.mark.parametrize("kind", PASSING)
def test_collecting_goes_on_until_the_result_would_expire(kind: FailureKind) -> None:
    counts, rng, left, looks = RetryCounts(), Random(1), 3600.0, 0
    while isinstance(error := decide_collect(Failure(kind, "slow"), counts, left, rng), Retry):
        assert LEAST_PAUSE <= error.after <= LEAST_PAUSE + CAP
        counts, left, looks = error.counts, left - error.after, looks + 1
        assert left > 0
    assert looks > 100
    assert left < LEAST_PAUSE + CAP
    assert error.failure.kind is FailureKind.PENDING


@pytest.mark.parametrize(
    "kind", [k for k in FailureKind if k not in {*PASSING, FailureKind.EXPIRED}]
)
def test_a_final_answer_while_collecting_is_final(kind: FailureKind) -> None:
    failure = Failure(kind, "final")
    assert decide_collect(failure, RetryCounts(), 3600.0, Random(1)) == GiveUp(failure)


def test_a_request_that_is_missing_within_its_time_is_looked_for_five_times_in_a_minute() -> None:
    failure, counts, waits = Failure(FailureKind.EXPIRED, "404"), RetryCounts(), list[float]()
    while isinstance(error := decide_collect(failure, counts, 3000.0, Random(1)), Retry):
        waits.append(error.after)
        counts = error.counts
    assert len(waits) + 1 == 5
    assert sum(waits) == 60
    assert error.failure is failure


def test_a_request_that_is_missing_after_its_time_is_expired_at_once() -> None:
    failure = Failure(FailureKind.EXPIRED, "404")
    assert decide_collect(failure, RetryCounts(), 0.0, Random(1)) == GiveUp(failure)
