from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from relightflow.core.bounded_map import bounded_map


async def numbers(count: int, closed: list[bool] | None = None) -> AsyncIterator[int]:
    try:
        for number in range(count):
            yield number
    finally:
        if closed is not None:
            closed.append(True)


def others() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_a_hundred_thousand_items_are_never_more_tasks_than_the_width() -> None:
    most = done = 0

    async def work(number: int) -> int:
        nonlocal most
        if number % 97 == 0:
            most = max(most, len(others()))
        await asyncio.sleep(0)
        return number

    async for _ in bounded_map(numbers(100_000), 8, work):
        done += 1
    assert done == 100_000
    assert most <= 8


async def test_results_come_in_the_order_they_finish() -> None:
    gates = [asyncio.Event() for _ in range(3)]

    async def work(number: int) -> int:
        await gates[number].wait()
        return number

    got = []
    gates[2].set()
    async for number in bounded_map(numbers(3), 3, work):
        got.append(number)
        gates[(number + 1) % 3].set()  # 2, then 0, then 1
    assert got == [2, 0, 1]


async def test_no_item_is_drawn_before_there_is_room() -> None:
    drawn: list[int] = []
    rate_limiter = asyncio.Event()

    async def items() -> AsyncIterator[int]:
        for number in range(5):
            drawn.append(number)
            yield number

    async def work(number: int) -> int:
        await rate_limiter.wait()
        return number

    results = bounded_map(items(), 2, work)
    first = asyncio.ensure_future(anext(results))
    for _ in range(10):
        await asyncio.sleep(0)
    assert drawn == [0, 1]
    rate_limiter.set()
    await first
    assert len([number async for number in results]) == 4


async def test_when_it_may_not_go_on_what_runs_is_awaited_and_nothing_new_begins() -> None:
    begun: list[int] = []

    async def work(number: int) -> int:
        begun.append(number)
        await asyncio.sleep(0)
        return number

    got = [number async for number in bounded_map(numbers(9), 3, work, lambda: len(begun) < 2)]
    assert sorted(got) == begun
    assert len(begun) <= 3


async def test_an_exception_cancels_the_others_and_comes_out() -> None:
    cancelled: list[int] = []

    async def work(number: int) -> int:
        if number == 3:
            raise ValueError("broken")
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    with pytest.raises(ValueError, match="broken"):
        async for _ in bounded_map(numbers(9), 4, work):
            pass
    assert sorted(cancelled) == [0, 1, 2]
    assert not others()


async def test_closed_early_it_leaves_no_task_and_closes_what_it_draws_from() -> None:
    closed: list[bool] = []

    async def work(number: int) -> int:
        await asyncio.sleep(0 if number == 0 else 3600)
        return number

    async with aclosing(bounded_map(numbers(9, closed), 4, work)) as results:
        async for _ in results:
            break
    assert not others()
    assert closed == [True]


async def test_two_that_fail_at_once_leave_no_exception_behind(
    recwarn: pytest.WarningsRecorder,
) -> None:
    reports: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context))

    async def work(number: int) -> int:
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        async for _ in bounded_map(numbers(4), 4, work):
            pass
    gc.collect()
    assert reports == []
    assert not recwarn.list
