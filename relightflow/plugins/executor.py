"""The protocol of an executor: where work is done that is heavy, and that may be done twice.

relightflow owns the ledger, the rate limit, the budget and every call that is billed, in one process.
What it hands to an executor is free and harmless to repeat: read, check or upload an input image, download
a known result, relight with a free backend, write an image to a sink, measure a result. An executor may run a
task twice, on two machines at once, or never: whatever happens, nothing is bought again.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """One piece of work. For a distributed executor it can be pickled, and so can what it returns; both
    are small, since images travel by path and digest."""

    name: str
    """What is done, in a word, for dashboards and logs: `download`, `deliver`. Free of secrets."""
    function: Callable[..., T]
    """Does it. A function of a module, which a worker imports, or a partial of one."""
    arguments: tuple[Any, ...] = field(default=(), repr=False)
    """What it is called with. May hold the secret that this very task needs, such as the signed URL of
    one result: an executor neither logs nor keeps it."""

    seconds: float | None = None
    """How long its answer is worth waiting for, where that is known; None: as the executor thinks fit."""

    def __call__(self) -> T:
        """Do it. Raises what the function raises."""
        return self.function(*self.arguments)


class ExecutorUnavailable(Exception):
    """The executor did not do a task, or nobody knows whether it did. relightflow does it itself then; the
    message says why, and is shown once. It goes on a line, as `no worker is there`."""

    def __init__(self, reason: str, gone: bool = False) -> None:
        """`gone`: the executor is lost for the rest of the run, and is asked nothing more."""
        self.gone = gone
        super().__init__(reason)

    def __reduce__(self) -> tuple[type[ExecutorUnavailable], tuple[str, bool]]:
        return type(self), (str(self), self.gone)


class TaskRefused(ExecutorUnavailable):
    """A worker cannot do a task that this process can: it does not see a folder, or reaches no network.
    Raised by our own tasks; after a few in a row no more of their kind are handed out."""


class Ask(Protocol):
    """Has a worker do a task, and waits for it. Blocks; may be called by several threads."""

    def __call__(self, task: Task[T]) -> T | None:
        """What the task returned; None: no worker did it, so it is to be done here. Raises what it raised."""


class Executor(Protocol):
    """Methods may be called by several threads."""

    @property
    def distributed(self) -> bool:
        """Whether tasks are done in other processes. False: in threads of this one, where nothing is
        pickled."""

    def submit(self, task: Task[T]) -> Future[T]:
        """Take `task` and return at once. The future always ends, also after `close`: with what the task
        returned or raised, or with `ExecutorUnavailable`. Raises nothing."""

    def close(self) -> None:
        """Called once at the end; within a few seconds. Tasks that have not begun are dropped."""
