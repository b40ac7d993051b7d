"""What the server's clock says between two of its seconds.

The `Date` header has whole seconds (RFC 9110, 5.6.7), so a reset minus the same answer's `Date` is up
to a second too long, and a window that is learned from it too. Each answer bounds the difference
between the server's clock and ours; many answers together leave little of the second. A clock that
is put right, on either side, makes the bounds contradict each other: then they start over.

Our side is a clock that only counts (`elapsed`): what the machine takes for the time of day, and
whether somebody changes it, makes no difference.
"""

from __future__ import annotations

import math
import time

# A sleeping machine's monotonic clock may stand still (Linux, clock_gettime(2)); this one goes on. On
# macOS CLOCK_MONOTONIC does that by itself.
_COUNTER: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Seconds from an arbitrary start, those of a suspended machine included; never goes back."""
    return time.clock_gettime(_COUNTER)


class ServerClock:
    def __init__(self) -> None:
        self._least = -math.inf
        self._most = math.inf
        """Bounds of the server's Unix seconds minus our elapsed ones."""

    def heard(self, date: float, sent: float, came: float) -> None:
        """An answer's `Date` (Unix seconds); when its request left and its head came (elapsed)."""
        least, most = date - came, date + 1 - sent
        self._least, self._most = max(self._least, least), min(self._most, most)
        if self._least > self._most:
            self._least, self._most = least, most

    def now(self, at: float) -> float | None:
        """The server's Unix seconds at `at` (elapsed), to about a second; None: never heard of it."""
        if not math.isfinite(self._least):
            return None
        return (self._least + self._most) / 2 + at

    def late(self, date: float, came: float) -> float:
        """Seconds, 0 up to 1, by which the server's clock was surely past `date` when the answer that
        says so came to us (elapsed)."""
        if not math.isfinite(self._least):
            return 0.0
        return min(max(0.0, self._least + came - date), 0.999)
