from __future__ import annotations

import asyncio

from relightflow.sources.urls.memory_limit import MemoryLimit


async def test_there_is_room_for_so_much_and_the_next_waits_its_turn() -> None:
    room, done = MemoryLimit(10), []

    async def take(name: str, size: int) -> None:
        await room.take(size)
        done.append(name)

    await take("a", 6)
    tasks = [asyncio.create_task(take("b", 6)), asyncio.create_task(take("c", 1))]
    await asyncio.sleep(0)
    assert done == ["a"]  # c would fit, but b came first
    room.give(6)
    await asyncio.gather(*tasks)
    assert done == ["a", "b", "c"]


async def test_more_than_all_is_all() -> None:
    room = MemoryLimit(10)
    assert await room.take(99) == 10


async def test_whoever_gives_up_waiting_leaves_the_queue() -> None:
    room = MemoryLimit(10)
    await room.take(10)
    gone = asyncio.create_task(room.take(5))
    waits = asyncio.create_task(room.take(10))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    room.give(10)
    assert await waits == 10


async def test_a_turn_that_came_too_late_is_given_back() -> None:
    room = MemoryLimit(10)
    await room.take(10)
    gone = asyncio.create_task(room.take(10))
    await asyncio.sleep(0)
    room.give(10)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert await room.take(10) == 10
