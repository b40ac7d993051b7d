"""The conformance kit for executors."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path

from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.plugins.executor import Executor, ExecutorUnavailable, Task, TaskRefused

_SECONDS = 60.0
_MANY = 200


def check_executor(create: Callable[[], Executor]) -> None:
    """`create` makes executors that keep the protocol's promises.

    Checked: tasks come back in whatever order with what they returned; what a task raises arrives with
    all that it bears; several threads may hand tasks in; a distributed executor runs them in another
    process, and says of a task that cannot be pickled that it was not done; after `close`, every future
    has ended, and a new task is answered with ExecutorUnavailable instead of with a wait.
    """
    executor = create()
    try:
        _check_answers(executor)
        _check_exceptions(executor)
        _check_threads(executor)
        if executor.distributed:
            _check_processes(executor)
        late = [executor.submit(Task("sum", _sum, (n, n))) for n in range(_MANY)]
    finally:
        executor.close()
    ended, waiting = wait(late, _SECONDS)
    assert not waiting, f"{len(waiting)} futures never ended after close()"
    for future in ended:
        problem = None if future.cancelled() else future.exception()
        assert problem is None or isinstance(problem, ExecutorUnavailable), (
            f"a task that was dropped raises {problem!r}, not ExecutorUnavailable"
        )
    after = executor.submit(Task("sum", _sum, (1, 1)))
    assert isinstance(after.exception(_SECONDS), ExecutorUnavailable), (
        "a task after close() must be answered with ExecutorUnavailable"
    )
    executor.close()  # twice is no fault


def _check_answers(executor: Executor) -> None:
    asked = [executor.submit(Task("sum", _sum, (n, 1))) for n in range(_MANY)]
    found = [future.result(_SECONDS) for future in asked]
    assert found == [n + 1 for n in range(_MANY)], "a future has another task's result"
    large = executor.submit(Task("large", _large, (1 << 20,))).result(_SECONDS)
    assert len(large) == 1 << 20, "a result of 1 MB was not given back whole"


def _check_exceptions(executor: Executor) -> None:
    failed = executor.submit(Task("fail", _fail, ("refused",))).exception(_SECONDS)
    assert isinstance(failed, CallFailed), f"a task raised CallFailed and {failed!r} arrived"
    assert failed.failure == _failure("refused"), "the failure in CallFailed was not given back"
    refused = executor.submit(Task("refuse", _refuse, ("no folder",))).exception(_SECONDS)
    assert isinstance(refused, TaskRefused), f"a task raised TaskRefused and {refused!r} arrived"
    assert str(refused) == "no folder"


def _check_threads(executor: Executor) -> None:
    found: list[int] = []

    def ask(number: int) -> None:
        found.append(executor.submit(Task("sum", _sum, (number, 0))).result(_SECONDS))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_SECONDS)
    assert sorted(found) == list(range(8)), "tasks of several threads were mixed up"


def _check_processes(executor: Executor) -> None:
    elsewhere = executor.submit(Task("process", os.getpid)).result(_SECONDS)
    assert elsewhere != os.getpid(), "`distributed` is True, and tasks run in this very process"
    unsendable = executor.submit(Task("lock", _sum, (threading.Lock(), 1)))
    assert isinstance(unsendable.exception(_SECONDS), ExecutorUnavailable), (
        "a task that cannot be pickled must be answered with ExecutorUnavailable"
    )
    path = executor.submit(Task("path", Path, ("a/b",))).result(_SECONDS)
    assert path == Path("a/b")


def _sum(one: int, other: int) -> int:
    return one + other


def _large(size: int) -> bytes:
    return bytes(size)


def _failure(words: str) -> Failure:
    return Failure(FailureKind.BAD_RESULT, words, Billed.YES, cost=5, kept=b"\0\1")


def _fail(words: str) -> None:
    raise CallFailed(_failure(words))


def _refuse(words: str) -> None:
    raise TaskRefused(words)
