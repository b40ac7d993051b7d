"""Decides, without a clock of its own, when the next submit may leave.

It obeys
- the rate that was given: never more than `calls` in any window of `seconds`;
- the rate that was learned from 429s;
- a pause for everybody after a 429, until the reset, then one probe before the others.

Why a log of times and not a token bucket, what is measured and what is tried, and how it does against
fixed windows, sliding windows and token buckets: docs/explanation/rates-and-retries.md.
"""

from __future__ import annotations

import math
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from relightflow.model.recipe import Rate
from relightflow.run.limits.rate_trials import RateTrials
from relightflow.run.limits.retry import LEAST_PAUSE, MOST_PAUSE
from relightflow.run.limits.sliding_window import Permit, SlidingWindow

_QUICK = 1.0
"""Seconds within which a provider says 429; a submit that is silent for longer was let in."""
_FEW, _SHARE = 6, 32
"""While no limit is known, at most max(_FEW, submits so far / _SHARE) recent submits are in flight,
because so many more are refused when the limit is met. The first ones go two at a time."""
_AT_ONCE, _SPEED = 3, 60
"""Nor more than what makes _SPEED submits a second, at least _AT_ONCE: with short round trips a few
in flight are as quick as any limit, and fewer are refused."""
_MOMENTS = (1, 2, 5, 10, 30, 60)
"""Seconds after a window's first submit at which one submit is tried where no reset is given.
Limits are given per second, ten seconds or minute, so that most windows end at one of them."""
_ENOUGH = 64
"""Submits answered after a pause, after which nobody is held back any more."""
_BUCKET = 16
"""Calls of the window that stands for a provider that lets calls in one by one."""
_SHORT = 8
"""Round trips; a window of fewer is not measured by its own ends, but as a rate between 429s."""
_HITS, _COUNTED = 8, 3
"""Pauses that are remembered; calls that must have been let in from one to another, for a rate."""
_CLOSE = 0.1
"""A refused submit that is let in within this share of the window was only a little too early."""
_OUTAGE = (2, 120.0)
"""Windows, seconds; a pause longer than both does not measure a limit that was sure before it."""
_LONGEST_LOG = 4096
"""Submits remembered at least."""


def _outlasts(pause: float, learned: SlidingWindow) -> bool:
    windows, seconds = _OUTAGE
    return pause > max(windows * learned.seconds, seconds)


@dataclass(slots=True)
class _Stretch:
    """What was let in since a moment at which the provider's quota was fresh, as far as known."""

    start: float
    """When its first submit left."""
    passed: int = 0
    last: float = -math.inf
    """When the last submit left that was let in."""
    joined: bool = False
    """Two stretches that are taken for one."""


@dataclass(slots=True)
class _Hit:
    """A 429 and what followed, until a submit was let in."""

    reset: float | None
    """As the provider said."""
    refused: float
    """When the last submit that was refused had left."""
    began: float
    """When the first 429 came."""
    probes: int = 0
    """Refused one by one since."""


class RatePolicy:
    """When the next submit may leave. Times are monotonic seconds, handed in.

    Without a rate, the limit is the number of submits that were let in from the first one of a
    window to a 429, in the time from that first one to the first one after the pause.
    """

    def __init__(self, rate: Rate | None, rng: Random) -> None:
        self._rng = rng
        self._log: deque[Permit] = deque()
        """What was let in or has no answer yet, oldest first; both windows look at it."""
        self._given = SlidingWindow(rate.calls, rate.seconds, self._log) if rate else None
        self.learned: SlidingWindow | None = None
        """The provider's limit, as far as its 429s told it."""
        self._sure = False
        """A window of `learned` passed, and the next one's first submit was let in."""
        self._window: _Stretch | None = None
        self._before: _Stretch | None = None
        self._recent: deque[Permit] = deque()
        self._sent = 0
        self._until = -math.inf
        """End of the pause."""
        self._epoch = 0
        self._hit: _Hit | None = None
        self._hits: deque[float] = deque(maxlen=_HITS)
        """When the first submit left that was refused, for each of the last hits."""
        self._between = 0.0
        """Seconds after a window's first submit: halfway from the last submit that was refused to the
        first that was let in, the last time that they were far apart."""
        self._trip = 0.0
        """Seconds of the latest round trip."""
        self._ramp = _FEW
        self._trials = RateTrials()

    def wait(self, now: float) -> float:
        """Seconds until one more submit may leave, if nothing is heard before; 0 or less: now."""
        while self._recent and (not self._recent[0].recent or self._recent[0].left + _QUICK <= now):
            self._let_in(self._recent.popleft())
        if now < self._until:
            return self._until - now
        waits = [window.wait(now) for window in (self._given, self.learned) if window]
        if len(self._recent) >= self._most_recent():
            waits.append(self._recent[0].left + _QUICK - now)
        return max(waits, default=0.0)

    def seconds_for(self, calls: int, now: float) -> float:
        """How long until `calls` more may have left, as far as the limits are known."""
        windows = [window for window in (self._given, self.learned) if window and window.calls]
        full = [window.seconds * (calls // window.calls) for window in windows]
        return max(0.0, self._until - now) + max(full, default=0.0)

    def leave(self, now: float) -> Permit:
        """One submit leaves."""
        permit = Permit(now, self._epoch)
        self._window = self._window or _Stretch(now)
        self._sent += 1
        self._log.append(permit)
        self._recent.append(permit)
        calls = [window.calls for window in (self._given, self.learned) if window]
        while len(self._log) > max([_LONGEST_LOG, *calls]):
            self._log.popleft()
        return permit

    def withdrawn(self, permit: Permit) -> None:
        """A submit that was let out did not leave: it counts nowhere, and says nothing."""
        self._drop(permit)
        self._sent -= 1

    def answered(self, permit: Permit, now: float) -> None:
        """Any answer but a 429, or the certainty that none will come."""
        permit.answered = now
        self._trip = min(now - permit.left, _QUICK)
        self._let_in(permit)

    def limited(self, permit: Permit | None, retry_after: float | None, now: float) -> bool:
        """A 429; `permit` None: to a poll, which says nothing about submits. False: too far away."""
        if retry_after is not None and math.isnan(retry_after):
            retry_after = None
        if retry_after is not None and retry_after > MOST_PAUSE:
            self._until = math.inf
            return False
        reset = None if retry_after is None else now + max(0.0, retry_after)
        if permit is None:
            self._until = max(self._until, reset or now, now + LEAST_PAUSE)
            return True
        self._forget(permit, now)
        if permit.epoch < self._epoch:
            # Sent before the pause began: it only says the reset more exactly.
            if reset is not None and reset > now:
                self._until = min(self._until, reset)
            return True
        if self._hit is None:
            self._hit = _Hit(reset, permit.left, now)
            self._hits.append(permit.left)
        else:
            hit = self._hit
            self._hit = _Hit(reset or hit.reset, permit.left, hit.began, hit.probes + 1)
        self._epoch += 1
        self._until = now + self._pause(self._hit, reset, now)
        return True

    def _pause(self, hit: _Hit, reset: float | None, now: float) -> float:
        """Seconds until one submit is tried."""
        probes = hit.probes
        soon = reset is not None and reset <= now
        if self._trials.back and self.learned and self._window and probes == 0:
            # The window that was shortened on trial ends at a time that is known.
            whole = self._window.passed >= self.learned.calls
            start = self._window.start if whole or not self._before else self._before.start
            end = start + self._trials.back.seconds
            if reset is not None and not soon:
                self._trials.compare(reset, end, whole)
                end = min(end, reset)
            return max(LEAST_PAUSE / 10, end + self.learned.allowance - now)
        one_by_one = reset is None and self._before is not None and self._before.joined
        if soon or one_by_one:
            return LEAST_PAUSE * (1 << min(probes, 6))
        if reset is not None:
            # A reset that is refused again and again is none.
            least = LEAST_PAUSE * min((1 << 2 * min(probes, 3)) / 10, 2.0)
            return max(least * (1 << min(max(probes - 5, 0), 5)), reset - now)
        return min(max(LEAST_PAUSE, self._guess(hit, now)), MOST_PAUSE)

    def _guess(self, hit: _Hit, now: float) -> float:
        """Seconds until one submit is tried where no reset is given."""
        window = self._window or _Stretch(now)
        gone, waited = now - window.start, now - hit.began
        moments = sorted([*_MOMENTS, self._between])
        later = next((float(m) for m in moments if m > gone + 0.2), 1.25 * gone)
        wait = (later - gone) * (1 + 0.02 * self._rng.random())
        # A window shorter than the time for which calls went on being let in may have ended in it
        # unnoticed, so that the time since its start tells nothing of the end of the present one.
        busy = window.last - window.start
        return min(wait, waited) if busy > 1 and waited < busy / 2 else wait

    def _forget(self, permit: Permit, now: float) -> None:
        """It was refused, so it counts nowhere."""
        self._drop(permit)
        permit.answered = now
        self._trials.refused += 1

    def _drop(self, permit: Permit) -> None:
        if not permit.recent and self._window and self._window.passed:
            self._window.passed -= 1
        permit.recent = False
        for log in (self._recent, self._log):
            with suppress(ValueError):
                log.remove(permit)

    def _let_in(self, permit: Permit) -> None:
        if not permit.recent:
            return
        permit.recent = False
        with suppress(ValueError):
            self._recent.remove(permit)
        window = self._window
        assert window
        window.last = max(window.last, permit.left)
        if permit.epoch < self._epoch:
            window.passed += 1
            return
        self._ramp = max(_FEW, self._ramp + 1)
        if self._hit:
            self._through(permit, window, self._hit)
            return
        learned = self.learned
        if learned and window.passed >= learned.calls:
            self._sure = True
            self._before = window
            window = self._window = _Stretch(permit.left, last=permit.left)
            self._trials.window_passed(learned, self._sent)
        window.passed += 1
        if learned and window.passed >= learned.calls:
            self._trials.begin(learned)

    def _through(self, permit: Permit, window: _Stretch, hit: _Hit) -> None:
        """The first submit after a pause: what passed since the window's first is the limit."""
        self._hit = None
        learned, late = self.learned, permit.left - hit.refused
        if self._trials.back and learned:
            self._trials.failed(learned)
        elif (
            self._sure
            and learned
            and window.passed < learned.calls
            and late < _CLOSE * learned.seconds
        ):
            learned.seconds += min(late, learned.allowance)
            window.passed += 1
            self._trials.windows, self._ramp = 0, 1
            return
        elif self._sure and learned and _outlasts(permit.left - hit.began, learned):
            # Shut for so long, it says nothing of the limit; if it does, the next 429 measures it.
            self._sure = False
        elif window.passed:
            window = self._measure(permit, window, hit)
        self._before = window
        self._window = _Stretch(permit.left, 1, permit.left)
        self._ramp = 1

    def _measure(self, permit: Permit, window: _Stretch, hit: _Hit) -> _Stretch:
        calls, start, scale, joined = window.passed, window.start, 1.0, False
        gap = permit.left - hit.refused
        self._between = permit.left - start - gap / 2 if gap > 0.1 * (permit.left - start) else 0.0
        learned, before, rate = self.learned, self._before, None
        if learned and before and calls < learned.calls / 2:
            if not before.joined:
                # Few were let in, so that the window before had not ended yet.
                calls, start = calls + before.passed, before.start
            else:
                # Not that either: a bucket, in which calls become free one by one.
                scale = max(1.0, min(_BUCKET, learned.calls) / calls)
                rate = self._rate()
            joined = True
        elif permit.left - start < _SHORT * self._trip and len(self._hits) > 2:
            rate = self._rate()
            joined = rate is not None
        seconds = (permit.left - start) * scale
        if rate:
            # Both may be too slow, since quota may have been left unused, but not too quick.
            seconds = min(seconds, calls * scale / rate)
        unsure = 0.5 if hit.reset is not None else gap / 2
        self.learned = SlidingWindow(round(calls * scale), seconds, self._log)
        self._sure = False
        self._trials.learned(seconds, unsure * scale, scale > 1)
        return _Stretch(start, calls, window.last, joined)

    def _rate(self) -> float | None:
        """Calls a second let in between two 429s, as far apart as are remembered. Nothing was free at
        either, so that whatever became free between them was used: whichever way a provider counts."""
        latest = self._hits[-1]
        for hit in self._hits:
            calls = sum(hit < permit.left < latest for permit in self._log)
            if calls >= _COUNTED:
                return calls / (latest - hit)
        return None

    def _most_recent(self) -> float:
        """How many submits may be in flight that nothing is known of."""
        if self._hit:
            return 1
        if self.learned is None:
            quick = max(_AT_ONCE, math.ceil(_SPEED * self._trip))
            few = max(min(_FEW, quick, 2 + self._sent // 2), self._sent // _SHARE)
            return math.inf if self._given else min(self._ramp, few)
        full = self._window is not None and self._window.passed >= self.learned.calls
        if full and (not self._sure or self._trials.back):
            return 1
        if not self._sure:
            return min(self._ramp, 2 * _FEW)
        return math.inf if self._ramp >= _ENOUGH else self._ramp
