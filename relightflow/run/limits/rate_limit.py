"""Lets submits leave no faster than the account allows; one limiter an account.

`RatePolicy` decides when the next submit may leave; this waits: first come, first served, and a
waiter that is cancelled gives its place on.
"""

from __future__ import annotations

import asyncio
from random import Random

from relightflow.errors import EarlyStop
from relightflow.model.recipe import Rate
from relightflow.run.clock import Clock
from relightflow.run.limits.rate_policy import RatePolicy
from relightflow.run.limits.sliding_window import Permit


class RateLimiter:
    """Where submits wait, first come, first served.

    permit = await rate_limiter.enter()
    …submit…
    rate_limiter.answered(permit)   or   rate_limiter.limited(permit, failure.retry_after)
    """

    def __init__(self, clock: Clock, rate: Rate | None = None, rng: Random | None = None) -> None:
        self._clock = clock
        self._policy = RatePolicy(rate, rng or Random())  # noqa: S311  # spreads waits, guards nothing
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        self._stop: EarlyStop | None = None

    async def enter(self) -> Permit:
        """Returns when one submit may leave. Raises EarlyStop where the account is shut for long."""
        async with self._turn:
            while True:
                if self._stop:
                    raise self._stop
                now = self._clock.monotonic()
                wait = self._policy.wait(now)
                if wait <= 0:
                    return self._policy.leave(now)
                await self._rest(wait)

    def seconds_for(self, calls: int) -> float:
        """How long until `calls` more may have left, as far as the limits are known."""
        return self._policy.seconds_for(calls, self._clock.monotonic())

    def answered(self, permit: Permit) -> None:
        """The submit had any answer but a 429, or certainly will have none."""
        self._policy.answered(permit, self._clock.monotonic())
        self._news.set()

    def withdrawn(self, permit: Permit) -> None:
        """The submit did not leave: the next may, in its place."""
        self._policy.withdrawn(permit)
        self._news.set()

    def limited(self, permit: Permit | None, retry_after: float | None) -> EarlyStop | None:
        """A 429: everybody waits. `retry_after`: seconds from now, None where nothing was said;
        `permit` None: the answer to a poll. Returns why the run must stop, or None."""
        if not self._policy.limited(permit, retry_after, self._clock.monotonic()):
            self._stop = EarlyStop(
                f"the provider's rate limit resets only in {(retry_after or 0) / 60:.0f} minutes; "
                "nothing was lost. Run again then to continue"
            )
        self._news.set()
        return self._stop

    async def _rest(self, seconds: float) -> None:
        """Sleep, or less where there is news."""
        self._news.clear()
        nap = asyncio.ensure_future(self._clock.sleep(seconds))
        news = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait({nap, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            news.cancel()
