"""How far a stop goes: waits end, and nothing that may have been billed is torn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from relightflow.errors import Exit
from relightflow.model.summary import Issue
from relightflow.run.shutdown import Shutdown, Stopped

ISSUE = Issue(Exit.EARLY, "an outage")
Around = Callable[[], AbstractContextManager[None]]


async def _wait(around: Around) -> str:
    """Wait forever inside `around`; how that ends."""
    try:
        with around():
            await asyncio.Event().wait()
    except Stopped:
        return "stopped"
    return "went on"


async def _started(*waits: Around) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(_wait(around)) for around in waits]
    await asyncio.sleep(0)
    return tasks


async def _ended(tasks: list[asyncio.Task[str]]) -> list[bool]:
    for _ in range(3):
        await asyncio.sleep(0)
    return [task.done() for task in tasks]


async def _all(shutdown: Shutdown) -> list[asyncio.Task[str]]:
    return await _started(shutdown.submitting, shutdown.collecting, shutdown.working)


async def test_each_stop_ends_the_waits_of_the_one_before_and_more() -> None:
    shutdown = Shutdown()
    tasks = await _all(shutdown)
    shutdown.stop_new(ISSUE)
    assert await _ended(tasks) == [True, False, False]
    assert (shutdown.submits_allowed, shutdown.draining) == (False, False)
    shutdown.drain(ISSUE)
    assert await _ended(tasks) == [True, True, False]
    assert shutdown.draining
    shutdown.abort()
    assert await asyncio.gather(*tasks) == ["stopped"] * 3


async def test_what_would_begin_after_a_stop_does_not_begin() -> None:
    shutdown = Shutdown()
    shutdown.stop_new(ISSUE)
    with pytest.raises(Stopped), shutdown.submitting():
        raise AssertionError
    with shutdown.collecting():
        pass
    shutdown.drain(ISSUE)
    with pytest.raises(Stopped), shutdown.collecting():
        raise AssertionError


async def test_leaving_is_also_buying_nothing_new_and_its_reason_is_kept() -> None:
    shutdown = Shutdown()
    (task,) = await _started(shutdown.submitting)
    shutdown.drain(ISSUE)
    assert await task == "stopped"
    assert (shutdown.submits_allowed, shutdown.issues) == (False, [ISSUE])


async def test_a_wait_that_is_over_is_not_ended_by_a_later_stop() -> None:
    shutdown = Shutdown()
    with shutdown.submitting():
        pass
    shutdown.stop_new(ISSUE)
    await asyncio.sleep(0)  # where a cancellation would come


async def test_a_cancellation_from_outside_is_no_stop() -> None:
    (task,) = await _started(Shutdown().collecting)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_both_at_once_are_a_cancellation_because_whoever_cancelled_waits_for_it() -> None:
    shutdown = Shutdown()
    (task,) = await _started(shutdown.collecting)
    shutdown.drain(ISSUE)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_reason_is_kept_once_in_the_order_of_coming() -> None:
    shutdown = Shutdown()
    other = Issue(Exit.ACCOUNT, "no credits")
    for issue in (ISSUE, other, ISSUE):
        shutdown.stop_new(issue)
    assert shutdown.issues == [ISSUE, other]


async def test_a_part_stops_alone_and_the_whole_stops_every_part() -> None:
    whole = Shutdown()
    one, other = Shutdown(whole), Shutdown(whole)
    tasks = await _started(one.submitting, other.submitting, other.collecting, one.working)
    one.stop_new(ISSUE)
    assert await _ended(tasks) == [True, False, False, False]
    assert (one.submits_allowed, other.submits_allowed, whole.submits_allowed) == (
        False, True, True,
    )  # fmt: skip
    assert whole.issues == [ISSUE], "the run tells of it"
    other.drain(ISSUE)
    assert await _ended(tasks) == [True, True, True, False], "a disk that is full is everybody's"
    assert whole.draining
    whole.abort()
    assert await asyncio.gather(*tasks) == ["stopped"] * 4
