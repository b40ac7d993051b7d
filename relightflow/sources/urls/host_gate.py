"""One host's pace: how many requests at a time, when to pause, and when to give the host up.

`HostGate` decides synchronously and knows no clock but the `sleep` that it is given:

- A host that asks for patience (429, or 503 with `Retry-After`) closes the gate for everybody. After
  the pause one request goes first, and the number of parallel requests grows again from there, to half
  of what was too many at once and then slowly on. Waiting costs no try.
- After a few failures in a row, without an answer in between, the gate closes as well, and single
  requests, each for another address where there are several, try whether the host is back.
- After a few pauses in a row without an answer the host is away: everybody is told at once, so that a
  dead host costs seconds, however many addresses it has.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

FAILURES = 5
"""In a row, after which the gate closes."""
FRUITLESS = 5
"""Pauses in a row without an answer, after which the host is away."""
_DEAD_SECONDS = 8.0
"""So long without any answer, and one pause more, and a host that does not even connect is away."""
LONGEST_PAUSE = 120.0
"""A host that asks for more is given up for this run."""


class HostAway(Exception):
    """The host does not answer, or asks for more patience than there is; says why, without it."""


@dataclass
class HostGate:
    most: int
    """Requests at a time, at most."""
    sleep: Callable[[float], Awaitable[None]]
    now: Callable[[], float]
    """Monotonic seconds."""
    away: str = ""
    """Why the host is given up for this run."""
    _width: float = 0.0
    _target: float = 0.0
    """What the width grows to quickly."""
    _running: int = 0
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    _closed: asyncio.Task[None] | None = None
    _epoch: int = 0
    """Counts the pauses, so that what was under way when one began is not taken for news."""
    _failures: int = 0
    _fruitless: int = 0
    _silent_since: float | None = None
    _outage: bool = False
    """The last pause was for failures."""

    def __post_init__(self) -> None:
        self._width = self._target = float(self.most)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[int]:
        """Wait for a place; its number is for `answered` and the like. Raises HostAway."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._admit()
        try:
            await place
        except BaseException:
            if place.done() and not place.cancelled() and not place.exception():
                self._leave()
            else:
                with suppress(ValueError):
                    self._waiting.remove(place)
            raise
        try:
            yield self._epoch
        finally:
            self._leave()

    def answered(self) -> None:
        """The host gave an answer, whatever it says of the image."""
        self._failures = self._fruitless = 0
        self._outage = False
        self._silent_since = None
        if self._width < self._target:
            self._width = min(self._target, self._width * 2)
        else:
            self._width = min(float(self.most), self._width + 1 / self._width)
        self._target = max(self._target, self._width)

    def limited(self, epoch: int, after: float | None, why: str) -> None:
        """The host asks for patience; `after`: for so many seconds, if it says."""
        if after is not None and after > LONGEST_PAUSE:
            self._give_up(f"{why}; it asks to wait {after:.0f} s")
        elif epoch == self._epoch and self._closed is None:
            self._close(after, why, FRUITLESS)

    def failed(self, epoch: int, why: str, connected: bool, first: bool = True) -> None:
        """No answer, or one that says that the server is broken. `first`: to an address's first try.

        Further tries of a few bad addresses say nothing about the host, unless it seems to be away.
        """
        if not first and not self._outage:
            return
        self._failures += 1
        self._silent_since = self.now() if self._silent_since is None else self._silent_since
        if self._failures < FAILURES and not self._outage:
            return
        if epoch == self._epoch and self._closed is None:
            self._outage = True
            silent = self.now() - self._silent_since
            dead = not connected and silent > _DEAD_SECONDS and self._fruitless
            self._close(None, why, 1 if dead else FRUITLESS if connected else 3)

    async def close(self) -> None:
        if self._closed is not None:
            self._closed.cancel()
            await asyncio.gather(self._closed, return_exceptions=True)

    def _close(self, after: float | None, why: str, most: int) -> None:
        self._fruitless += 1
        if self._fruitless > most:
            self._give_up(why)
            return
        self._epoch += 1
        self._target, self._width = max(1.0, self._width / 2), 1.0
        backoff = min(30.0, 2.0 ** (self._fruitless - 1))
        pause = after if after is not None else backoff * random.uniform(0.6, 1.2)  # noqa: S311  no secret
        self._closed = asyncio.ensure_future(self._open_later(pause))

    async def _open_later(self, seconds: float) -> None:
        await self.sleep(seconds)
        self._closed = None
        self._admit()

    def _give_up(self, why: str) -> None:
        self.away = self.away or why
        self._admit()

    def _leave(self) -> None:
        self._running -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.away:
            place = self._waiting.popleft()
            if not place.done():
                place.set_exception(HostAway(self.away))
        while self._waiting and self._closed is None and self._running < int(self._width):
            place = self._waiting.popleft()
            if not place.done():
                self._running += 1
                place.set_result(None)
