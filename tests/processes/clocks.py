"""A wrong wall clock for a process; the monotonic clock and the times of files stay true.

Two ways:

- libfaketime (Debian and Ubuntu: `apt install faketime`) moves the clock of a whole process. It
  costs a second of processor time for each command, so it is for the tests of clocks.
- `install` moves what the program's modules see. It costs nothing, and is how time passes in the
  other tests, and everywhere where libfaketime is missing.
"""

from __future__ import annotations

import datetime
import glob
import os
import time
from dataclasses import dataclass
from typing import Any

PLACES = (
    "/usr/lib/*/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
)


def library() -> str:
    """Path of libfaketime, or nothing."""
    return next((path for place in PLACES for path in sorted(glob.glob(place))), "")


def faketime(seconds: float) -> dict[str, str]:
    """Environment variables that put a process's wall clock `seconds` ahead of ours."""
    preload = [path for path in (os.environ.get("LD_PRELOAD"), library()) if path]
    return {
        "LD_PRELOAD": ":".join(preload),
        "FAKETIME": f"{seconds:+.0f}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


@dataclass(slots=True)
class Shift:
    seconds: float = 0.0


def install() -> Shift:
    """Make this process's `time` and `datetime` follow a shift; before others import them."""
    shift = Shift()
    true = datetime.datetime
    true_time, true_time_ns, true_gmtime = time.time, time.time_ns, time.gmtime

    class Kind(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, true)

    class Shifted(true, metaclass=Kind):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return cls.fromtimestamp(time.time(), tz)

    time.time = lambda: true_time() + shift.seconds
    time.time_ns = lambda: true_time_ns() + int(shift.seconds * 1e9)
    time.gmtime = lambda at=None: true_gmtime(time.time() if at is None else at)
    datetime.datetime = Shifted  # type: ignore[misc]
    return shift
