"""The `local` executor: threads of this process, one a core, since decoders and numpy release the lock."""

from __future__ import annotations

import os
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TypeVar

from relightflow.plugins.executor import ExecutorUnavailable, Task
from relightflow.plugins.records import ExecutorContext, ExecutorRecord

T = TypeVar("T")


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalPool:
    """Tasks need not be picklable. Its threads are started when there is work for them."""

    distributed = False

    def __init__(self, context: ExecutorContext | None = None) -> None:
        del context  # it has no options
        self._pool = ThreadPoolExecutor(cores(), thread_name_prefix="work")

    def submit(self, task: Task[T]) -> Future[T]:
        answer: Future[T] = Future()
        try:
            work = self._pool.submit(task)
        except RuntimeError:  # closed
            answer.set_exception(ExecutorUnavailable("the pool is closed"))
            return answer
        work.add_done_callback(lambda done: _pass_on(done, answer))
        return answer

    def close(self) -> None:
        """Waits for what has begun: a fraction of a second."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _pass_on(done: Future[T], answer: Future[T]) -> None:
    """Whoever asked may have gone; a task that was dropped is one that was not done."""
    if not answer.set_running_or_notify_cancel():
        return
    try:
        problem = done.exception()
    except CancelledError:
        problem = ExecutorUnavailable("the pool was closed before it was done")
    if problem is None:
        answer.set_result(done.result())
    else:
        answer.set_exception(problem)


RECORD = ExecutorRecord(
    name="local",
    summary="Threads of this process, one for each core",
    create=LocalPool,
)
