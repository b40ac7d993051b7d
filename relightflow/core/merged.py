"""Several streams as one, in the order in which their items come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class _Ended:
    error: Exception | None = None


async def merged(streams: Sequence[AsyncGenerator[Item]]) -> AsyncGenerator[Item]:
    """The items of all `streams`, which run side by side and wait for whoever takes them: at most one item
    of each is ahead.

    An exception of one ends all; however it ends, every stream is closed. Wrap its use in
    `contextlib.aclosing`.
    """
    if len(streams) == 1:
        async with aclosing(streams[0]) as only:
            async for item in only:
                yield item
        return
    taken: asyncio.Queue[Item | _Ended] = asyncio.Queue(maxsize=1)
    running = [asyncio.ensure_future(_put(stream, taken)) for stream in streams]
    left = len(running)
    try:
        while left:
            found = await taken.get()
            if not isinstance(found, _Ended):
                yield found
            elif found.error:
                raise found.error
            else:
                left -= 1
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for stream in streams:
            await stream.aclose()


async def _put(stream: AsyncGenerator[Item], taken: asyncio.Queue[Item | _Ended]) -> None:
    ended = _Ended()
    try:
        async for item in stream:
            await taken.put(item)
    except Exception as error:
        ended = _Ended(error)
    await taken.put(ended)
