from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import pytest

from relightflow.sources.urls.prefetch import Loop, in_order


def test_results_come_in_order_and_no_more_are_begun_than_allowed() -> None:
    begun: list[Future[int]] = []

    def start(item: int) -> Future[int]:
        future: Future[int] = Future()
        begun.append(future)
        if item:
            future.set_result(item)
        if len(begun) == 4:
            begun[0].set_result(0)
        return future

    results = in_order(range(100), start, ahead=3)
    assert next(results) == 0
    assert len(begun) == 4
    assert list(results) == list(range(1, 100))


def test_who_stops_early_cancels_what_was_begun() -> None:
    begun: list[Future[int]] = [Future() for _ in range(5)]

    def start(item: int) -> Future[int]:
        if item == 2:
            begun[0].set_result(0)
        return begun[item]

    results = in_order(range(5), start, ahead=2)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]  # a generator has it
    assert [future.cancelled() for future in begun] == [False, True, True, False, False]


def test_a_loop_runs_apart_and_ends_what_is_left() -> None:
    loop = Loop()
    ended = threading.Event()

    async def where() -> str:
        return threading.current_thread().name

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    assert loop.start(where()).result() == "urls"
    loop.start(waits())
    loop.start(asyncio.sleep(0)).result()
    loop.close()
    assert ended.is_set()


async def test_a_loop_is_closed_by_a_thread_that_runs_one_of_its_own() -> None:
    loop = Loop()
    assert await asyncio.to_thread(lambda: loop.start(asyncio.sleep(0, 7)).result()) == 7
    loop.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "urls"]


def test_an_exception_comes_out_where_its_turn_is() -> None:
    loop = Loop()

    async def work(item: int) -> int:
        return 1 // item

    results = in_order([1, 0], lambda item: loop.start(work(item)), ahead=5)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
    loop.close()
