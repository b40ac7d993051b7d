"""A clock that does not wait: hours of sleeping pass in the time the code itself takes.

`run` drives a coroutine on an event loop whose time jumps to the next sleeper as soon as nothing
else can be done. Everything in it that waits (`asyncio.sleep`, timeouts, `VirtualClock.sleep`) is
served in order of time, ties in an order that is the same each time, so one seed is one history.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

EPOCH = 1_800_000_000.0
"""Unix seconds at the start of virtual time."""


_TICK = 1e-9


class _JumpingSelector(selectors.DefaultSelector):
    """Real input first; where there is none and a timer is due some day, that day is now."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # No timer at all: only a thread or a socket can go on, so wait for it in real time.
        events = super().select(None if timeout is None else 0)
        if not events and timeout is not None and timeout > 0:
            due = self.now + timeout
            # asyncio calls a timer that is due within a nanosecond. After some weeks floats are
            # coarser than that, and the timer must be passed for it to be called.
            self.now = due if math.ulp(due) < _TICK else math.nextafter(due, math.inf)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time, which starts at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class VirtualClock:
    """The running `VirtualLoop`'s time, as `relightflow.run` wants a clock."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        return EPOCH + self.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(main: Callable[[VirtualClock], Coroutine[Any, Any, T]]) -> T:
    """`main(clock)` from beginning to end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main(VirtualClock()))
