"""How long the calls of a plan would take, from what is known of the rate and of one call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from relightflow.model.recipe import Limits


@dataclass(frozen=True, slots=True)
class CallTime:
    seconds: float
    """Of one call, from its start to the stored result."""
    calls: int = 0
    """The median of so many of the last calls; 0: as the model's author says."""


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    seconds: float | None
    """None: not known, because the model was never called here."""
    call: CallTime | None
    concurrency: int
    by_rate: bool
    """Whether the recipe's rate decides, and not how long a call takes."""


def longest(times: Sequence[TimeEstimate | None]) -> TimeEstimate | None:
    """Of backends that work side by side; None: none of them has anything to do. One that takes a time that
    nobody knows is the longest."""
    found = [time for time in times if time is not None]
    return max(
        found, key=lambda time: math.inf if time.seconds is None else time.seconds, default=None
    )


def time_estimate(calls: int, limits: Limits, call: CallTime | None) -> TimeEstimate | None:
    """None: there is nothing to call. A provider's own rate limit is only known once it answers, so
    that a run without `limits.rate` may take longer."""
    if not calls:
        return None
    each = call.seconds if call else 0.0
    by_time = math.ceil(calls / limits.concurrency) * each
    by_rate = 0.0
    if limits.rate:  # the first of the windows starts at once
        by_rate = max(0, math.ceil(calls / limits.rate.calls) - 1) * limits.rate.seconds + each
    known = call is not None or by_rate > each
    seconds = max(by_time, by_rate) if known else None
    return TimeEstimate(seconds, call, limits.concurrency, by_rate > by_time)
