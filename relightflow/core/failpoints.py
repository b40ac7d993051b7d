"""Crash points by name, so that a test can pull the plug at an exact place.

`RELIGHTFLOW_CRASH_AT=name:n` ends the process with SIGKILL when the point `name` is reached for the
n-th time. Unset, `reach` is an empty function.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable

POINTS = (
    "before-intent",
    "after-intent",
    "after-submit",
    "after-accepted",
    "after-result-known",
    "after-paid",
    "after-collect",
    "blob-written",
    "blob-renamed",
    "blob-durable",
    "after-stored",
    "before-commit",
    "after-commit",
    "before-sink",
    "after-sink",
    "after-done",
    "before-manifest",
    "after-manifest",
    "recovery-started",
    "recovery-collected",
)
"""Every point there is, in the order of a job's life."""


def armed(setting: str) -> Callable[[str], None]:
    """The function for `RELIGHTFLOW_CRASH_AT=setting`. Raises ValueError for a name unknown here."""
    name, _, count = setting.partition(":")
    if name not in POINTS:
        raise ValueError(
            f"RELIGHTFLOW_CRASH_AT: no crash point '{name}'; known: {', '.join(POINTS)}"
        )
    wanted = int(count or "1")
    seen: Counter[str] = Counter()
    lock = threading.Lock()

    def reach_armed(point: str) -> None:
        if point != name:
            return
        with lock:
            seen[point] += 1
            if seen[point] == wanted:
                os.kill(os.getpid(), signal.SIGKILL)

    return reach_armed


def _unarmed(point: str) -> None:
    """Nothing happens here, unless a test has armed a point."""


reach: Callable[[str], None] = (
    armed(os.environ["RELIGHTFLOW_CRASH_AT"])
    if os.environ.get("RELIGHTFLOW_CRASH_AT")
    else _unarmed
)
