"""Lets submits leave no faster than the account allows; one gate an account.

`Pace` decides, without a clock of its own: how long until the next submit may leave. It obeys
- the rate that was given: never more than `calls` in any window of `seconds`;
- the rate that was learned: after a 429 the number that got through and the reset's time say what
  the provider allows; afterwards that is a given rate too, tried one higher once in a while;
- a pause for everybody after a 429, until the reset, then one probe before the others.
`Gate` waits: first come, first served; a waiter that is cancelled gives its place on.

Why a log of times and not a token bucket, and what was measured against servers with fixed windows,
sliding windows and token buckets: docs/explanation/rates-and-retries.md.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from relightflow.errors import EarlyStop
from relightflow.model.recipe import Rate
from relightflow.run.clock import Clock
from relightflow.run.limits.retry import CAP as BACKOFF_CAP
from relightflow.run.limits.retry import LEAST_PAUSE, MOST_PAUSE, backoff

QUICK = 1.0
"""Seconds within which a provider says 429; a submit that is silent for longer was let in."""
FEW, SHARE = 6, 32
"""While no limit is known, at most max(FEW, submits so far / SHARE) recent submits are in flight,
because so many more are refused when the limit is met."""
PATIENCE, MOST_PATIENCE = 8, 128
"""Full windows without a 429 before the learned limit is tried one higher."""
_LONGEST_LOG = 4096
"""Submits remembered while no limit is known."""
ENOUGH = 64
"""Submits answered after a pause, after which nobody is held back any more."""


@dataclass(slots=True, eq=False)
class Permit:
    """One submit that was let out. Its own times, on the clock's monotonic seconds."""

    left: float
    epoch: int
    """Number of pauses before it."""
    place: int
    """0-based among the submits of its epoch."""
    answered: float | None = None
    recent: bool = True
    """Nothing is known of it yet."""

    def arrived(self, allowance: float) -> float:
        """The latest time at which the other side may have counted it."""
        latest = self.left + allowance
        return latest if self.answered is None else min(latest, self.answered)


class _SlidingWindow:
    """At most `calls` in any `seconds`, as the other side counts them.

    A submit arrives somewhere between leaving here and its answer. It is counted at its answer, but
    at most `allowance` after it left, so that a slow way out and a quick way the next time do not
    bring two windows' submits into one.
    """

    def __init__(self, calls: int, seconds: float, log: Iterable[Permit] = ()) -> None:
        self.calls = calls
        self.seconds = seconds
        self.log = deque(log)
        """Oldest first."""

    @property
    def allowance(self) -> float:
        """Seconds that the quickest and the slowest way out may differ by: 2 %, at least 50 ms."""
        return min(max(0.05, 0.02 * self.seconds), 0.5, self.seconds)

    def wait(self, now: float) -> float:
        """Seconds until one more may leave."""
        log, allowance = self.log, self.allowance
        while log and log[0].arrived(allowance) + self.seconds <= now:
            log.popleft()
        over = len(log) - self.calls
        return 0.0 if over < 0 else log[over].arrived(allowance) + self.seconds - now

    def forget(self, permit: Permit) -> None:
        """It was refused, so it used nothing up."""
        with suppress(ValueError):
            self.log.remove(permit)


class _RatePolicy:
    """When the next submit may leave. Times are monotonic seconds, handed in."""

    def __init__(self, rate: Rate | None, rng: Random) -> None:
        self._rng = rng
        self._given = _SlidingWindow(rate.calls, rate.seconds) if rate else None
        self.learned: _SlidingWindow | None = None
        """The provider's limit, as far as its 429s told it."""
        self._sure = rate is not None
        """A whole window of what is known passed without a 429."""
        self._log: deque[Permit] = deque(maxlen=_LONGEST_LOG)
        self._recent: deque[Permit] = deque()
        self._sent = 0
        self._until = -math.inf
        """End of the pause."""
        self._epoch = 0
        self._places = 0
        """Submits of this epoch."""
        self._measured: _Measurement | None = None
        """What is being measured: from an edge to the next 429."""
        self._met: _LimitHit | None = None
        """The 429 that ended the stretch, until a probe got through."""
        self._ramp = ENOUGH
        self._growth = _LimitProbe()

    def wait(self, now: float) -> float:
        """Seconds until one more submit may leave, if nothing is heard before; 0 or less: now."""
        while self._recent and (not self._recent[0].recent or self._recent[0].left + QUICK <= now):
            self._let_in(self._recent.popleft())
        if now < self._until:
            return self._until - now
        waits = [window.wait(now) for window in (self._given, self.learned) if window]
        if self.learned and waits[-1] > 0 and self._sure and self._growth.due(self.learned.calls):
            self.learned.calls += self._growth.step(self.learned.calls)
            waits[-1] = self.learned.wait(now)
        if len(self._recent) >= self._most_recent():
            waits.append(self._recent[0].left + QUICK - now)
        return max(waits, default=0.0)

    def seconds_for(self, calls: int, now: float) -> float:
        """How long until `calls` more may have left, as far as the limits are known."""
        windows = [window for window in (self._given, self.learned) if window and window.calls]
        full = [window.seconds * (calls // window.calls) for window in windows]
        return max(0.0, self._until - now) + max(full, default=0.0)

    def leave(self, now: float) -> Permit:
        """One submit leaves."""
        if self._met and self._met.epoch == self._epoch:
            self._epoch += 1
            self._places = 0
            self._ramp = 1
        permit = Permit(now, self._epoch, self._places)
        if self._measured is None:
            self._measured = _Measurement(now, self._epoch)
        if self._measured.epoch == self._epoch:
            self._measured.passed += 1
        self._places += 1
        self._sent += 1
        self._log.append(permit)
        self._recent.append(permit)
        for window in (self._given, self.learned):
            if window:
                window.log.append(permit)
        return permit

    def answered(self, permit: Permit, now: float) -> None:
        """Any answer but a 429, or the certainty that none will come."""
        permit.answered = now
        self._let_in(permit)

    def limited(self, permit: Permit | None, retry_after: float | None, now: float) -> bool:
        """A 429; `permit` None: to a poll, which says nothing about submits. False: too far away."""
        if retry_after is not None and math.isnan(retry_after):
            retry_after = None
        if retry_after is not None and retry_after > MOST_PAUSE:
            self._until = math.inf
            return False
        if permit is not None:
            self._refused(permit, retry_after, now)
        tries = self._met.probes if self._met else 0
        if retry_after is None:
            if now >= self._until:
                # Half of what the window lasted so far, so that its end is not missed by much.
                most = max(1.0, (now - self._measured.edge) / 2) if self._measured else BACKOFF_CAP
                wait = backoff(tries + 1, self._rng, cap=min(BACKOFF_CAP, most))
                self._until = now + max(LEAST_PAUSE, wait)
            return True
        least = LEAST_PAUSE + (backoff(tries - 1, self._rng) if tries > 1 else 0)
        self._until = max(self._until, now + max(retry_after, least))
        return True

    def _refused(self, permit: Permit, retry_after: float | None, now: float) -> None:
        permit.answered, permit.recent = now, False
        with suppress(ValueError):
            self._recent.remove(permit)
        with suppress(ValueError):
            self._log.remove(permit)
        for window in (self._given, self.learned):
            if window:
                window.forget(permit)
        stretch = self._measured
        if stretch and permit.epoch == stretch.epoch:
            stretch.passed -= 1
        reset = None if retry_after is None else now + retry_after
        if permit.epoch < self._epoch:
            return
        if self._met is None:
            self._met = _LimitHit(self._epoch, reset)
            if self.learned and self._sure:
                self._shrink(self.learned, reset, now)
        elif permit.epoch > self._met.epoch:
            self._met = _LimitHit(self._epoch, reset, self._met.probes + 1)
        elif reset is not None:
            self._met.reset = max(reset, self._met.reset or reset)

    def _let_in(self, permit: Permit) -> None:
        if not permit.recent:
            return
        permit.recent = False
        with suppress(ValueError):
            self._recent.remove(permit)
        self._growth.passed += 1
        if permit.epoch < self._epoch or (self._met and permit.epoch == self._met.epoch):
            return
        self._ramp = max(FEW, self._ramp + 1)
        if self._met:
            self._learn(permit, self._met)
        elif self.learned and permit.place >= self.learned.calls:
            self._sure = True

    def _learn(self, probe: Permit, met: _LimitHit) -> None:
        """The probe got through: what passed from one edge to the next is the provider's limit."""
        edge = probe.left if met.reset is None else met.reset
        stretch = self._measured
        if (
            stretch
            and stretch.passed > 0
            and edge > stretch.edge
            and not (self.learned and self._sure)
        ):
            self.learned = _SlidingWindow(stretch.passed, edge - stretch.edge, self._log)
            # From one reset to the next is a whole window; from our first submit perhaps not.
            self._sure = stretch.from_reset
        self._measured = _Measurement(edge, probe.epoch, self._places, met.reset is not None)
        self._met = None

    def _shrink(self, learned: _SlidingWindow, reset: float | None, now: float) -> None:
        """What was sure was too much: either one call too many, or the window is longer."""
        if reset is not None and reset - now > 1.1 * learned.seconds:
            inside = sum(p.left >= now - learned.seconds for p in learned.log)
            self._measured = _Measurement(now - learned.seconds, self._epoch, inside)
            self._sure = False
            return
        start = (now if reset is None else reset) - learned.seconds
        inside = sum(permit.left >= start for permit in learned.log)
        fewer = self._growth.refused(learned.calls)
        learned.calls = max(1, min(learned.calls - fewer, inside))

    def _most_recent(self) -> float:
        """How many submits may be in flight that nothing is known of."""
        if self._met and self._met.epoch < self._epoch:
            return 1
        if self._sure:
            return math.inf if self._ramp >= ENOUGH else self._ramp
        if self.learned and self._places >= self.learned.calls:
            return 1
        return min(self._ramp, max(FEW, self._sent // SHARE))


@dataclass(slots=True)
class _Measurement:
    """Submits that were let in since an edge."""

    edge: float
    epoch: int
    passed: int = 0
    from_reset: bool = False
    """The edge is a reset's time, as the provider gave it."""


@dataclass(slots=True)
class _LimitHit:
    """A 429 and what followed."""

    epoch: int
    """Of the submit that was refused."""
    reset: float | None
    probes: int = 0
    """Refused one by one since."""


class _LimitProbe:
    """When to try more than what was learned, and how far to go back when it was too much."""

    def __init__(self) -> None:
        self.passed = 0
        """Submits let in since the limit last changed."""
        self._patience = PATIENCE
        self._after_refusal = PATIENCE
        self._step = 1
        self._back = 1

    def due(self, calls: int) -> bool:
        return self.passed >= self._patience * calls

    def step(self, calls: int) -> int:
        """How many more. Twice as many and sooner each time that it works, up to a tenth."""
        step = min(self._step, max(1, calls // 10))
        self.passed, self._patience = 0, max(1, self._patience // 2)
        self._step, self._back = step * 2, step
        return step

    def refused(self, calls: int) -> int:
        """How many fewer: the last step, then twice as many each time that this was not enough."""
        back = self._back
        self._back = back * 2 if self.passed < 2 * calls else 1
        self.passed, self._step = 0, 1
        self._after_refusal = min(self._after_refusal * 2, MOST_PATIENCE)
        self._patience = self._after_refusal
        return back


class RateLimiter:
    """Where submits wait, first come, first served.

    permit = await rate_limiter.enter()
    …submit…
    rate_limiter.answered(permit)   or   rate_limiter.limited(permit, failure.retry_after)
    """

    def __init__(self, clock: Clock, rate: Rate | None = None, rng: Random | None = None) -> None:
        self._clock = clock
        self._policy = _RatePolicy(rate, rng or Random())  # noqa: S311  # spreads waits, guards nothing
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
