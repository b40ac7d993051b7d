"""The emulator's clock: wall time that never jumps, and the spellings of a moment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime


class EmulatorClock:
    """Unix seconds that run on the monotonic clock. `skew` is how far the shown time is ahead."""

    def __init__(self, skew: float = 0.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._offset = time.time() - monotonic()
        self.skew = skew

    def now(self) -> float:
        """True Unix seconds: records, windows and lives count in these."""
        return self._monotonic() + self._offset

    def shown(self, moment: float | None = None) -> float:
        """What the server says the time is, or was at `moment`, in `Date` headers and in its records."""
        return (self.now() if moment is None else moment) + self.skew

    def shift(self, seconds: float) -> None:
        """Let time pass in an instant, for tests of what expires."""
        self._offset += seconds


def http_date(moment: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(moment), UTC), usegmt=True)


def stamp(moment: float) -> str:
    """`2026-11-23T15:05:01.123Z`, as the history writes it."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def reset_text(moment: float, spelling: str) -> str:
    """`moment` as `x-rate-limit-reset-at-utc` may spell it; whole seconds are rounded up."""
    whole = datetime.fromtimestamp(math.ceil(moment), UTC)
    exact = datetime.fromtimestamp(math.ceil(moment * 1000) / 1000, UTC)
    spelt = {
        "iso-z": lambda: stamp(math.ceil(moment * 1000) / 1000),
        "iso-offset": lambda: exact.isoformat(timespec="milliseconds"),
        "iso": lambda: exact.replace(tzinfo=None).isoformat(timespec="milliseconds"),
        "space": lambda: whole.strftime("%Y-%m-%d %H:%M:%S"),
        "epoch": lambda: str(math.ceil(moment)),
        "epoch-ms": lambda: str(math.ceil(moment * 1000)),
        "http-date": lambda: http_date(whole.timestamp()),
    }
    return spelt[spelling]()
