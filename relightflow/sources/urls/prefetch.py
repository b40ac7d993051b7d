"""Runs coroutines for code that blocks: an event loop in a thread of its own, results in order."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
_THREADS = 16
"""For looking up names, and for hashing and keeping what came."""


class Loop:
    """An event loop in a thread; call `close`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="urls"))
        self._thread = threading.Thread(target=self._run, name="urls", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        """The loop's whole life is in its thread: the thread that closes it may have a loop too."""
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    def start(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Cancels what still runs and waits until it has ended."""
        self.start(_end_the_others()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


async def _end_the_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def in_order(
    items: Iterable[Item], start: Callable[[Item], Future[Result]], ahead: int
) -> Iterator[Result]:
    """Results in the order of `items`, of which at most `ahead` are begun before they are wanted."""
    begun: deque[Future[Result]] = deque()
    try:
        for item in items:
            begun.append(start(item))
            while begun and (len(begun) > ahead or begun[0].done()):
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()
