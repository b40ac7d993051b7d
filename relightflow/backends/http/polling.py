"""When to ask for a job's status: little, because polls may count against the rate limit.

The first jobs of a run are asked at growing intervals from 0.25 s. Once some have finished, the
first question comes near their median time. The schedule is pure: no clock, no
waiting.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

FIRST = 0.25
LONGEST = 30.0
REMEMBERED = 64
ENOUGH = 3
"""Finished jobs before the median is believed."""


@dataclass(frozen=True, slots=True)
class ClockFunctions:
    """Time, as it can be replaced in tests."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class PollSchedule:
    """What this run has learned about how long jobs take."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=REMEMBERED)

    def learn(self, seconds: float) -> None:
        """A job finished `seconds` after it was accepted."""
        self._seconds.append(max(0.0, seconds))

    @property
    def median(self) -> float | None:
        return statistics.median(self._seconds) if len(self._seconds) >= ENOUGH else None

    def waits(self, elapsed: float = 0.0) -> Iterator[float]:
        """Seconds to wait before each question, for a job accepted `elapsed` seconds ago. Endless."""
        median = self.median
        if median is None:
            wait = FIRST
            growth = 2.0
        else:
            # a little late beats a little early: early costs one more question
            yield max(0.02, median * 1.05 - elapsed)
            wait = max(0.1, median * 0.15)
            growth = 1.5
        while True:
            yield wait
            wait = min(LONGEST, wait * growth)
