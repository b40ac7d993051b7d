"""At most so many calls in any so many seconds, counted as the other side counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Permit:
    """One submit that was let out. Its own times, on the clock's monotonic seconds."""

    left: float
    epoch: int
    """Number of pauses before it."""
    answered: float | None = None
    recent: bool = True
    """Nothing is known of it yet."""

    def arrived(self, allowance: float) -> float:
        """The latest time at which the other side may have counted it."""
        latest = self.left + allowance
        return latest if self.answered is None else min(latest, self.answered)


class SlidingWindow:
    """At most `calls` in any `seconds`, as the other side counts them.

    A submit arrives somewhere between leaving here and its answer. It is counted at its answer, but
    at most `allowance` after it left, so that a slow way out and a quick way the next time do not
    bring two windows' submits into one.
    """

    def __init__(self, calls: int, seconds: float, log: Sequence[Permit] = ()) -> None:
        self.calls = calls
        self.seconds = seconds
        self.log = log
        """Oldest first. It is only read, and as long as `calls` at least once that many have left; so
        that a window whose length is tried and taken back has lost nothing."""

    @property
    def allowance(self) -> float:
        """Seconds that the quickest and the slowest way out may differ by: 2 %, at least 50 ms."""
        return min(max(0.05, 0.02 * self.seconds), 0.5, self.seconds)

    def wait(self, now: float) -> float:
        """Seconds until one more may leave."""
        if len(self.log) < self.calls:
            return 0.0
        return max(0.0, self.log[-self.calls].arrived(self.allowance) + self.seconds - now)
