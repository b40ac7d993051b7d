"""When a learned rate is tried a little higher, and what is gone back to where it was too much."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.run.limits.sliding_window import SlidingWindow


@dataclass(frozen=True, slots=True)
class _Limit:
    calls: int
    seconds: float


class RateTrials:
    """What was learned, tried a little higher: first a shorter window, since a reset's time may have
    whole seconds and a pause without one is a guess; then, rarely, more calls.

    They cost refused submits, so that they are few: _SPARE and one in _PER.
    """

    _SPARE, _PER = 8, 48
    _PATIENCE, _MOST_PATIENCE = 8, 128
    """Windows without a 429 before more calls are tried."""
    _PRECISE = 0.02
    """Share of a window that is not worth a trial."""

    def __init__(self) -> None:
        self.refused = 0
        """Submits that were refused so far."""
        self.back: _Limit | None = None
        """The limit before the trial that is under way."""
        self.windows = 0
        """That passed since the last 429 or trial."""
        self._step = 0.0
        """Seconds that the window may be too long by."""
        self._apart = 1
        """Windows between trials."""
        self._more = 1
        """Calls that the next trial adds."""
        self._due = False
        self._patience = self._after_refusal = self._PATIENCE

    def learned(self, seconds: float, unsure: float, saved: bool) -> None:
        """A limit was measured, whose window may be `unsure` seconds too long; `saved`: the provider
        saves up what was not used, so that a trial shows only after some windows."""
        self._step, self._apart = min(0.25 * seconds, unsure), 4 if saved else 1
        self.windows, self._due = 0, False

    def window_passed(self, limit: SlidingWindow, sent: int) -> None:
        """A whole window, and the first submit of the next one was let in."""
        self.windows += 1
        if self.back:
            if limit.calls > self.back.calls:
                self._more, self._patience = self._more * 2, max(1, self._patience // 2)
            self.back, self.windows = None, 1
            self._step = min(self._step, 0.25 * limit.seconds)
        patient = self.windows >= max(self._patience, 64 / limit.calls)
        cheap = (
            self._shorter(limit)
            and self.windows >= self._apart
            and self.refused < self._SPARE + sent / self._PER
        )
        self._due = patient or cheap

    def _shorter(self, limit: SlidingWindow) -> bool:
        return self._step >= self._PRECISE * limit.seconds

    def begin(self, limit: SlidingWindow) -> None:
        """A window is used up: the trial that is due begins with the next one."""
        if not self._due:
            return
        self._due, self.back = False, _Limit(limit.calls, limit.seconds)
        if self._shorter(limit):
            limit.seconds -= self._step
        else:
            limit.calls += min(self._more, max(1, limit.calls // 10))

    def compare(self, reset: float, known: float, whole: bool) -> None:
        """The reset that a trial's 429 gave, beside the end of the window as it was known."""
        if whole and abs(reset - known) < 0.1:
            self._step = 0.0

    def failed(self, limit: SlidingWindow) -> None:
        """Back to what was known."""
        assert self.back
        if limit.calls > self.back.calls:
            self._after_refusal = min(self._after_refusal * 2, self._MOST_PATIENCE)
            self._patience, self._more = self._after_refusal, 1
        else:
            self._step /= 2
        limit.calls, limit.seconds, self.back = self.back.calls, self.back.seconds, None
        self.windows = 0
