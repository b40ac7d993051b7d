from __future__ import annotations

import threading

import pytest

from relightflow.executors.local import LocalPool, cores
from relightflow.plugins.executor import ExecutorUnavailable, Task
from relightflow.testing import check_executor


def test_it_keeps_the_promises_of_an_executor() -> None:
    check_executor(LocalPool)


def test_as_many_tasks_run_at_once_as_there_are_cores() -> None:
    """Each waits for all the others, so that fewer threads would never end."""
    together = threading.Barrier(cores())
    pool = LocalPool()
    waiting = [pool.submit(Task("wait", together.wait, (30,))) for _ in range(cores())]
    assert sorted(future.result() for future in waiting) == list(range(cores()))
    pool.close()


def test_what_has_not_begun_is_dropped_and_said_to_be() -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()

    def wait() -> None:
        begun.release()
        assert go_on.wait(30)

    pool = LocalPool()
    running = [pool.submit(Task("wait", wait)) for _ in range(cores())]
    for _ in running:
        assert begun.acquire(timeout=30)
    late = pool.submit(Task("late", wait))
    closing = threading.Thread(target=pool.close)
    closing.start()
    with pytest.raises(ExecutorUnavailable):
        late.result(30)
    go_on.set()
    closing.join(30)
    assert [future.result(30) for future in running] == [None] * cores()
