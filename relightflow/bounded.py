"""Runs work at a bounded width and gives results as they come.

A permit is taken before a task is made, so a million items never become a million tasks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def bounded(
    items: AsyncIterable[Item],
    width: int,
    work: Callable[[Item], Awaitable[Result]],
    go_on: Callable[[], bool] = lambda: True,
) -> AsyncGenerator[Result]:
    """`work(item)` for every item, at most `width` at a time; results in the order they finish.

    Items are drawn only when there is room, and no more once `go_on()` is false; what runs then is
    awaited all the same. An exception of `work` ends the iteration after the others were cancelled.
    """
    running: set[asyncio.Task[Result]] = set()
    finished: deque[asyncio.Task[Result]] = deque()
    news = asyncio.Event()

    def on_done(task: asyncio.Task[Result]) -> None:
        running.discard(task)
        finished.append(task)
        news.set()

    async def settle(room: int) -> AsyncIterator[Result]:
        """What is finished, and wait until at most `room` run."""
        while finished or len(running) > room:
            if not finished:
                news.clear()
                await news.wait()
            while finished:
                yield finished.popleft().result()

    try:
        async for item in items:
            if not go_on():
                break
            task = asyncio.ensure_future(_start(work, item))
            running.add(task)
            task.add_done_callback(on_done)
            async for result in settle(width - 1):
                yield result
        async for result in settle(0):
            yield result
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.gather(*running, return_exceptions=True)


async def _start(work: Callable[[Item], Awaitable[Result]], item: Item) -> Result:
    return await work(item)
