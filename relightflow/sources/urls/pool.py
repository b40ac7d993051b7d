"""What all `urls` sources of a recipe share: one loop, one fetcher, so one gate for each host."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import TypeVar

from relightflow.sources.urls.fetch import Fetcher
from relightflow.sources.urls.prefetch import Loop

_T = TypeVar("_T")


class Pool:
    """Every source that uses it calls `leave` once; the last one ends it."""

    def __init__(self, make: Callable[[], Fetcher]) -> None:
        """`make` is called in the loop, when something is asked for."""
        self._make = make
        self._lock = threading.Lock()
        self._loop: Loop | None = None
        self._fetcher: Fetcher | None = None
        self.users = 0
        self.asked: set[bytes] = set()
        """Addresses that gave an image while the pool was open, by `url_index.key`."""

    def start(self, work: Callable[[Fetcher], Awaitable[_T]]) -> Future[_T]:
        with self._lock:
            if self._loop is None:
                self._loop = Loop()
            loop = self._loop

        async def run() -> _T:
            if self._fetcher is None:
                self._fetcher = self._make()
            return await work(self._fetcher)

        return loop.start(run())

    def leave(self) -> None:
        self.users -= 1
        if self.users > 0:
            return
        with self._lock:
            loop, fetcher = self._loop, self._fetcher
            self._loop = self._fetcher = None
        if loop is not None:
            if fetcher is not None:
                loop.start(fetcher.close()).result()
            loop.close()
