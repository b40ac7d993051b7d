"""Decides whether a failed call is made again, and after how long: the only owner of retries.

Pure: a failure, what was tried so far, and a source of randomness give a failure. Whatever may have
been billed is never retried here. Numbers: docs/explanation/rates-and-retries.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random
from typing import TypeAlias

from relightflow.model.failure import Billed, Failure, FailureKind

_UNSENT_RETRIES = 5
_UNAVAILABLE_RETRIES = 2
BASE = 0.5
"""Seconds: the widest first wait."""
CAP = 30.0
"""Seconds: the widest wait of all."""
_MISSING_WAITS = (4.0, 8.0, 16.0, 32.0)
"""Seconds before the 2nd to 5th look at a request id that was answered 404: five tries in 60 s."""
LEAST_PAUSE, MOST_PAUSE = 0.5, 900.0
"""Seconds: what a provider's "come back in …" is clamped to."""


@dataclass(frozen=True, slots=True)
class RetryCounts:
    """How often one call was repeated, and why."""

    unsent: int = 0
    unavailable: int = 0
    collect: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Retry:
    after: float
    """Seconds; 0 where the wait is somebody else's (a 429 waits at the rate limit)."""
    counts: RetryCounts
    """To be handed in with the next failure."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    failure: Failure


Decision: TypeAlias = Retry | GiveUp


def backoff(tries: int, rng: Random, base: float = BASE, cap: float = CAP) -> float:
    """Full jitter: anywhere between 0 and base × 2^tries, at most `cap` seconds.

    Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
    """
    return rng.uniform(0, min(cap, base * 2 ** min(tries, 30)))


def pause(retry_after: float | None) -> float | None:
    """A provider's "come back in …" in usable seconds; None where it says nothing usable."""
    if retry_after is None or math.isnan(retry_after):
        return None
    return min(max(retry_after, LEAST_PAUSE), MOST_PAUSE)


def decide(failure: Failure, counts: RetryCounts, rng: Random) -> Decision:
    """What to do after a submit (or prepare) that gave no step."""
    if failure.billed is not Billed.NO:
        return GiveUp(failure)
    if failure.kind is FailureKind.RATE_LIMITED:
        return Retry(0.0, counts)
    if failure.kind is FailureKind.UNSENT and counts.unsent < _UNSENT_RETRIES:
        return Retry(backoff(counts.unsent, rng), replace(counts, unsent=counts.unsent + 1))
    if failure.kind is FailureKind.UNAVAILABLE and counts.unavailable < _UNAVAILABLE_RETRIES:
        after = pause(failure.retry_after) or backoff(counts.unavailable, rng)
        return Retry(after, replace(counts, unavailable=counts.unavailable + 1))
    return GiveUp(_told(failure, counts.unsent + counts.unavailable))


_PASSING = frozenset(
    {FailureKind.UNSENT, FailureKind.UNAVAILABLE, FailureKind.RATE_LIMITED, FailureKind.PENDING}
)


def decide_collect(failure: Failure, counts: RetryCounts, left: float, rng: Random) -> Decision:
    """What to do after a poll or download that gave no step: free, so nearly always once more.

    `left`: seconds until the provider would forget the result; `inf` where it never does.
    """
    if failure.kind is FailureKind.EXPIRED:
        if left <= 0 or counts.missing >= len(_MISSING_WAITS):
            return GiveUp(failure)
        return Retry(_MISSING_WAITS[counts.missing], replace(counts, missing=counts.missing + 1))
    if failure.kind not in _PASSING:
        return GiveUp(failure)
    after = pause(failure.retry_after) or LEAST_PAUSE + backoff(counts.collect, rng)
    if after >= left:
        return GiveUp(_pending(failure))
    return Retry(after, replace(counts, collect=counts.collect + 1))


def _told(failure: Failure, retries: int) -> Failure:
    if not retries:
        return failure
    return replace(failure, message=f"{failure.message} (tried {retries + 1} times)")


def _pending(failure: Failure) -> Failure:
    """The same failure, as something that the next run goes on with."""
    return replace(
        failure,
        kind=FailureKind.PENDING,
        message=f"{failure.message}; not collected in time. Run again to collect it if it "
        "still exists",
    )
