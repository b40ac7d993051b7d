from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from relightflow.core.merged import merged


async def count(name: str, to: int, closed: list[str]) -> AsyncGenerator[str]:
    try:
        for number in range(to):
            await asyncio.sleep(0)
            yield f"{name}{number}"
    finally:
        closed.append(name)


async def broken(after: int) -> AsyncGenerator[str]:
    for number in range(after):
        yield f"x{number}"
    raise ValueError("broken")


@pytest.mark.parametrize("names", [(), ("a",), ("a", "b", "c")])
async def test_everything_comes_each_in_its_own_order(names: tuple[str, ...]) -> None:
    closed: list[str] = []
    async with aclosing(merged([count(name, 50, closed) for name in names])) as found:
        items = [item async for item in found]
    assert sorted(closed) == sorted(names)
    for name in names:
        assert [item for item in items if item[0] == name] == [f"{name}{n}" for n in range(50)]
    assert len(items) == 50 * len(names)


async def test_a_slow_stream_holds_no_other_up() -> None:
    never, closed = asyncio.Event(), list[str]()

    async def slow() -> AsyncGenerator[str]:
        await never.wait()
        yield "slow"

    async with aclosing(merged([slow(), count("a", 50, closed)])) as found:
        async for item in found:
            if item == "a49":
                never.set()
            if item == "slow":
                break
        else:
            raise AssertionError("it never came")


async def test_nobody_runs_ahead_of_who_takes_the_items() -> None:
    drawn: list[int] = []

    async def numbers() -> AsyncGenerator[int]:
        for number in range(1000):
            drawn.append(number)
            yield number

    async with aclosing(merged([numbers(), numbers()])) as found:
        taken = 0
        async for _ in found:
            taken += 1
            assert len(drawn) <= taken + 4
            if taken == 20:
                break


async def test_none_waits_while_another_gives_two() -> None:
    closed: list[str] = []
    names = ("a", "b", "c")
    async with aclosing(merged([count(name, 50, closed) for name in names])) as found:
        items = [item[0] async for item in found]
    assert items == [*names] * 50


async def test_one_that_fails_ends_all_and_every_stream_is_closed() -> None:
    closed: list[str] = []

    async def take() -> None:
        async with aclosing(merged([broken(3), count("a", 10**6, closed)])) as found:
            async for _ in found:
                pass

    with pytest.raises(ValueError, match="broken"):
        await take()
    assert closed == ["a"]
    assert {*asyncio.all_tasks()} == {asyncio.current_task()}
