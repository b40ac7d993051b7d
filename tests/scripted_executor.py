"""An executor for tests: a distributed one in this process, which fails as the test's script says.

Tasks and answers go through the same envelopes as to a cluster, so that what cannot travel does not.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from relightflow.executors.envelope import done, opened, packed
from relightflow.plugins.executor import ExecutorUnavailable, Task
from relightflow.plugins.records import ExecutorRecord
from relightflow.plugins.registry import Loaded
from tests.conftest import Stage

T = TypeVar("T")


def usual(_: Task[Any], __: int) -> None:
    return None


@dataclass
class ScriptedExecutor:
    script: Callable[[Task[Any], int], object] = usual
    """(task, how many went before) → it raises instead of the worker; `2` has the task done twice."""
    names: list[str] = field(default_factory=list)
    """Of all tasks, in order."""
    sent: list[bytes] = field(default_factory=list)
    """What left the process, pickled."""
    received: list[bytes] = field(default_factory=list)
    closed: int = 0
    distributed: bool = True

    def submit(self, task: Task[T]) -> Future[T]:
        future: Future[T] = Future()
        try:
            self.names.append(task.name)
            envelope = packed(task)
            self.sent.append(envelope.content)
            if self.script(task, len(self.names) - 1) == 2:
                done(envelope)
            answer = done(envelope)
            self.received.append(answer.content)
            future.set_result(opened(answer))
        except Exception as problem:
            future.set_exception(problem)
        return future

    def close(self) -> None:
        self.closed += 1


def installed(stage: Stage, executor: ScriptedExecutor) -> dict[str, Any]:
    """The options of a run of `stage` that uses it."""
    record = ExecutorRecord("scripted", "For tests", lambda _: executor, needs_address=True)
    executors = {**stage.registry.executors, "scripted": Loaded(record, "test")}
    stage.registry = replace(stage.registry, executors=executors)
    return {"executor": "scripted", "scheduler": "here"}


def never(_: Task[Any], __: int) -> None:
    raise ExecutorUnavailable("no worker is there")
