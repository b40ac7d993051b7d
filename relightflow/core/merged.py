"""Several streams as one, in the order in which their items come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TypeVar

Item = TypeVar("Item")


class _Ended:
    """What a stream without a further item gives."""


_ENDED = _Ended()


async def merged(streams: Sequence[AsyncGenerator[Item]]) -> AsyncGenerator[Item]:
    """The items of all `streams`, which run side by side and wait for whoever takes them: at most one item
    of each is ahead, and none waits while another gives two.

    An exception of one ends all; however it ends, every stream is closed. Wrap its use in
    `contextlib.aclosing`.
    """
    if len(streams) == 1:
        async with aclosing(streams[0]) as only:
            async for item in only:
                yield item
        return
    coming = {asyncio.ensure_future(_next(stream)): stream for stream in streams}
    try:
        while coming:
            done, _ = await asyncio.wait(coming, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in coming if task in done]:
                stream, found = coming.pop(task), task.result()
                if not isinstance(found, _Ended):
                    coming[asyncio.ensure_future(_next(stream))] = stream
                    yield found
    finally:
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)
        for stream in streams:
            await stream.aclose()


async def _next(stream: AsyncGenerator[Item]) -> Item | _Ended:
    return await anext(stream, _ENDED)
