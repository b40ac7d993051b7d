from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from relightflow.executors.local import LocalPool
from relightflow.plugins.executor import Task
from relightflow.testing import check_executor


class _Fault(LocalPool):
    """The pool with one promise broken."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.distributed = fault == "no other process"
        self._fault = fault
        self._ended = False

    def submit(self, task: Task[Any]) -> Future[Any]:
        future: Future[Any] = Future()
        if self._fault == "swaps" and task.name == "sum":
            future.set_result(0)
            return future
        if self._fault == "loses the failure" and task.name == "fail":
            future.set_exception(RuntimeError("refused"))
            return future
        if self._fault == "raises after the end" and self._ended:
            future.set_exception(RuntimeError("closed"))
            return future
        return super().submit(task)

    def close(self) -> None:
        self._ended = True
        super().close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("swaps", "another task's result"),
        ("loses the failure", "a task raised CallFailed"),
        ("no other process", "in this very process"),
        ("raises after the end", r"after close\(\)"),
    ],
)
def test_the_kit_finds_a_broken_promise(fault: str, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_executor(lambda: _Fault(fault))
