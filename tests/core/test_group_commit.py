from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from relightflow.core.group_commit import GroupCommit


def same(requests: Sequence[int]) -> Sequence[int | Exception]:
    return list(requests)


class Worker:
    """Doubles numbers, one batch at a time, each when the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, requests: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(requests))
        self.begun.release()
        self.go.acquire()
        return [ValueError("odd") if number == 13 else 2 * number for number in requests]


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def batcher(worker: Worker) -> Iterator[GroupCommit[int, int]]:
    with closing(GroupCommit(worker, "test")) as batcher:
        yield batcher
        worker.go.release(1000)


async def begun(worker: Worker) -> None:
    await asyncio.to_thread(worker.begun.acquire)


async def test_an_answer_comes_only_when_the_whole_batch_is_done(
    worker: Worker, batcher: GroupCommit[int, int]
) -> None:
    first = asyncio.ensure_future(batcher.ask(1))
    await begun(worker)
    others = [asyncio.ensure_future(batcher.ask(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    worker.go.release()
    assert await first == 2
    await begun(worker)
    assert not any(other.done() for other in others)
    worker.go.release()
    assert await asyncio.gather(*others) == [4, 6, 8]
    assert worker.batches == [[1], [2, 3, 4]]


async def test_one_failing_request_fails_alone(
    worker: Worker, batcher: GroupCommit[int, int]
) -> None:
    worker.go.release(9)
    answers = await asyncio.gather(*map(batcher.ask, (1, 13, 2)), return_exceptions=True)
    assert answers[0] == 2
    assert isinstance(answers[1], ValueError)
    assert answers[2] == 4


async def test_an_error_of_the_whole_batch_reaches_everybody() -> None:
    def work(requests: Sequence[int]) -> Sequence[int | Exception]:
        raise OSError(28, "No space left on device")

    with closing(GroupCommit(work, "test")) as batcher:
        answers = await asyncio.gather(*map(batcher.ask, range(5)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError] * 5


async def test_wrong_work_is_an_error_of_all_and_the_thread_lives_on() -> None:
    too_few = [True, False]

    def work(requests: Sequence[int]) -> Sequence[int | Exception]:
        return [] if too_few.pop(0) else list(requests)

    with closing(GroupCommit(work, "test")) as batcher:
        with pytest.raises(ValueError, match="1 request"):
            await batcher.ask(1)
        assert await batcher.ask(2) == 2


async def test_a_cancelled_waiter_harms_nobody(
    worker: Worker, batcher: GroupCommit[int, int]
) -> None:
    gone = asyncio.ensure_future(batcher.ask(1))
    stays = asyncio.ensure_future(batcher.ask(2))
    await begun(worker)
    gone.cancel()
    worker.go.release(9)
    assert await stays == 4
    assert gone.cancelled()
    assert [n for batch in worker.batches for n in batch] == [1, 2]


async def test_a_batch_is_never_larger_than_it_may_be() -> None:
    sizes: list[int] = []

    def work(requests: Sequence[int]) -> Sequence[int | Exception]:
        sizes.append(len(requests))
        return list(requests)

    with closing(GroupCommit(work, "test", largest=7)) as batcher:
        await asyncio.gather(*map(batcher.ask, range(100)))
    assert max(sizes) <= 7
    assert sum(sizes) == 100


def test_closing_does_what_is_queued_and_may_be_done_twice() -> None:
    done: list[int] = []

    def work(requests: Sequence[int]) -> Sequence[int | Exception]:
        done.extend(requests)
        return list(requests)

    batcher = GroupCommit(work, "test", largest=2)
    for number in range(50):
        batcher.tell(number)
    batcher.close()
    batcher.close()
    assert done == list(range(50))


async def test_asking_after_the_end_is_an_error_and_no_endless_wait() -> None:
    batcher: GroupCommit[int, int] = GroupCommit(same, "test")
    batcher.close()
    with pytest.raises(RuntimeError, match="closed"):
        await batcher.ask(1)
    with pytest.raises(RuntimeError, match="closed"):
        batcher.ask_and_wait(1)


def test_many_loops_and_plain_threads_share_one_batcher() -> None:
    batcher: GroupCommit[int, int] = GroupCommit(same, "test")
    with closing(batcher):
        answers: list[int] = []

        async def several() -> None:
            answers.extend(await asyncio.gather(*map(batcher.ask, range(20))))

        threads = [threading.Thread(target=lambda: asyncio.run(several())) for _ in range(4)]
        for thread in threads:
            thread.start()
        answers.extend(batcher.ask_and_wait(number) for number in range(20))
        for thread in threads:
            thread.join()
    assert sorted(answers) == sorted(list(range(20)) * 5)


def test_a_loop_that_ended_meanwhile_does_not_stop_the_thread(worker: Worker) -> None:
    with closing(GroupCommit(worker, "test")) as batcher:

        async def ask_and_leave() -> None:
            waiting = asyncio.ensure_future(batcher.ask(1))
            await asyncio.sleep(0)
            assert not waiting.done()

        asyncio.run(ask_and_leave())
        worker.go.release(9)
        assert batcher.ask_and_wait(2) == 4


def test_what_an_ended_loop_did_not_hand_in_does_not_keep_the_next_loop_waiting() -> None:
    batcher: GroupCommit[int, int] = GroupCommit(same, "test")
    with closing(batcher):
        first = asyncio.new_event_loop()
        waiting = first.create_task(batcher.ask(1))
        first.call_soon(first.stop)
        first.run_forever()  # the task has asked; its hand-in would come in the next turn
        assert asyncio.run(batcher.ask(2)) == 2
        first.run_until_complete(waiting)
        first.close()


def test_what_is_only_mentioned_rides_with_the_next_request_and_with_the_end() -> None:
    batches: list[list[str]] = []

    def work(requests: Sequence[str]) -> Sequence[None]:
        batches.append(list(requests))
        return [None] * len(requests)

    batcher: GroupCommit[str, None] = GroupCommit(work, "test")
    batcher.enqueue("rider")
    assert batches == []
    batcher.ask_and_wait("asked")
    assert batches == [["rider", "asked"]]
    batcher.enqueue("last")
    batcher.close()
    assert batches[-1] == ["last"]


async def test_what_is_in_no_hurry_waits_for_more_until_it_is_flushed_full_or_closed() -> None:
    batches: list[list[int]] = []

    def work(requests: Sequence[int]) -> Sequence[int]:
        batches.append(list(requests))
        return list(requests)

    with closing(GroupCommit(work, "test", largest=3, linger=3600)) as batcher:
        asked = [batcher.hand_in(number) for number in range(2)]
        await asyncio.sleep(0)
        asked.append(batcher.hand_in(2))  # full
        assert await asyncio.gather(*asked) == [0, 1, 2]
        last = batcher.hand_in(3)
        await asyncio.sleep(0)
        assert not last.done()
        batcher.flush()
        assert await last == 3
        forgotten = batcher.hand_in(4)
    assert await forgotten == 4
    assert batches == [[0, 1, 2], [3], [4]]


async def test_who_waits_long_enough_needs_no_flush() -> None:
    with closing(GroupCommit(same, "test", linger=1e-9)) as batcher:
        assert await batcher.ask(1) == 1


async def test_a_request_waits_for_others_only_where_the_last_batch_had_several() -> None:
    with closing(GroupCommit(same, "test", linger=3600, only_when_busy=True)) as batcher:
        assert [await batcher.ask(1), await batcher.ask(2)] == [1, 2]
        assert await asyncio.gather(*map(batcher.ask, (3, 4))) == [3, 4]
        waiting = batcher.hand_in(5)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        batcher.flush()
        assert await waiting == 5
        assert await batcher.ask(6) == 6
