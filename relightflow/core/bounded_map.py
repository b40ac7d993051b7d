"""Runs work at a bounded width and gives results as they come.

A permit is taken before a task is made, so a million items never become a million tasks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def bounded_map(
    items: AsyncIterable[Item],
    width: int,
    work: Callable[[Item], Awaitable[Result]],
    go_on: Callable[[], bool] = lambda: True,
) -> AsyncGenerator[Result]:
    """`work(item)` for every item, at most `width` at a time; results in the order they finish.

    Items are drawn only when there is room, and no more once `go_on()` is false; what runs then is
    awaited all the same. An exception of `work` ends the iteration after the others were cancelled.
    However it ends, no task is left and `items`, where it is a generator, is closed: wrap the use of
    it in `contextlib.aclosing`, or an early end is noticed only when the garbage is collected.
    """
    running: set[asyncio.Task[Result]] = set()
    finished: deque[asyncio.Task[Result]] = deque()
    news = asyncio.Event()

    def on_done(task: asyncio.Task[Result]) -> None:
        running.discard(task)
        finished.append(task)
        news.set()

    async def settled(room: int) -> bool:
        """Wait until something is finished or at most `room` run. False: nothing is left to give."""
        while not finished and len(running) > room:
            news.clear()
            await news.wait()
        return bool(finished)

    try:
        async for item in items:
            if not go_on():
                break
            task = asyncio.ensure_future(_start(work, item))
            running.add(task)
            task.add_done_callback(on_done)
            while await settled(width - 1):
                yield finished.popleft().result()
        while await settled(0):
            yield finished.popleft().result()
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)
        for task in finished:
            _look_at(task)
        if isinstance(items, AsyncGenerator):
            await items.aclose()


async def _start(work: Callable[[Item], Awaitable[Result]], item: Item) -> Result:
    return await work(item)


def _look_at(task: asyncio.Task[Result]) -> None:
    """Take note of how a task ended, so that asyncio does not report what nobody asked for."""
    if not task.cancelled():
        task.exception()
