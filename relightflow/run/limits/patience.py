"""Waits out what keeps the provider's records from being read: a rate limit, or a fault that passes.

Bounded in all, and told once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.run.clock import Clock
from relightflow.run.limits.rate_limit import RateLimiter
from relightflow.run.limits.retry import LEAST_PAUSE, backoff, pause

MOST_SECONDS = 900.0
"""Of waiting in one look at the records."""
FAULTS = 4
"""In a row; a rate limit that says when it ends is none."""


@dataclass(slots=True)
class RecordsPatience:
    """One look at the records; see `relightflow.plugins.backend.Retry`."""

    clock: Clock
    rng: Random
    notice: Callable[[str], None]
    rate_limiter: RateLimiter | None = None
    _waited: float = 0.0
    _faults: int = 0
    _told: set[FailureKind] = field(default_factory=set)

    async def __call__(self, failure: Failure) -> None:
        """Raises `CallFailed` where it is not worth another try."""
        seconds = self._pause(failure)
        if seconds is None or self._waited + seconds > MOST_SECONDS:
            raise CallFailed(failure)
        if failure.kind not in self._told:
            self._told.add(failure.kind)
            self.notice(
                f"the provider's records cannot be read now ({failure.message}); asking "
                f"again, for up to {MOST_SECONDS / 60:.0f} minutes"
            )
        if failure.kind is FailureKind.RATE_LIMITED and self.rate_limiter:
            self.rate_limiter.limited(None, failure.retry_after)
        self._waited += seconds
        await self.clock.sleep(seconds)

    def _pause(self, failure: Failure) -> float | None:
        """Seconds to wait; None: it does not pass."""
        limited = failure.kind is FailureKind.RATE_LIMITED
        if limited and failure.retry_after is not None:
            self._faults = 0
            return pause(failure.retry_after)
        if not limited and failure.kind not in (FailureKind.UNAVAILABLE, FailureKind.UNSENT):
            return None
        self._faults += 1
        if self._faults > FAULTS:
            return None
        return pause(failure.retry_after) or LEAST_PAUSE + backoff(self._faults, self.rng)
