"""A rate limit as a gateway keeps it: fixed windows, each opened by its first call."""

from __future__ import annotations

from relightflow.backends.emulator.config import ServerRate


class FixedWindow:
    """Counts calls; a refused call does not count."""

    def __init__(self, rate: ServerRate | None) -> None:
        self._rate = rate
        self._closes = 0.0
        self._used = 0

    def take(self, now: float) -> float | None:
        """Let one call through at `now` (None), or say when the window closes (Unix seconds)."""
        if self._rate is None:
            return None
        if now >= self._closes:
            self._closes, self._used = now + self._rate.seconds, 0
        if self._used >= self._rate.calls:
            return self._closes
        self._used += 1
        return None
