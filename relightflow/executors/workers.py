"""The executor as the parts of a run use it: what it does not do is said once and done here instead."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from relightflow.errors import UsageError
from relightflow.executors.local import LocalPool
from relightflow.executors.shared_blobs import SharedBlobs
from relightflow.model.run_options import RunOptions
from relightflow.plugins.executor import Ask, Executor, ExecutorUnavailable, Task, TaskRefused
from relightflow.plugins.records import ExecutorContext
from relightflow.plugins.registry import Registry

T = TypeVar("T")
_ENOUGH = 5
"""Tasks of one kind that workers refuse in a row, after which no more are handed out."""


class Workers:
    """The executor that the operator chose, beside a pool in this process for what cannot leave it."""

    def __init__(
        self,
        chosen: Executor | None = None,
        blobs: SharedBlobs | None = None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`chosen`: None: the pool alone. `blobs`: what workers read results from and write them to.
        `notice`: told each reason why work is done here, once."""
        self.pool = LocalPool()
        """For tasks whose arguments or results stay in this process."""
        self._chosen = chosen or self.pool
        self._blobs = blobs
        self._notice = notice
        self._told: set[str] = set()
        self._gone = False
        self._refused: Counter[str] = Counter()
        """In a row, by the task's name."""

    def shared(self, name: str) -> SharedBlobs | None:
        """What workers may be given with a task of that name; None: it is to be done here, because there
        are no workers, or none that can do it."""
        return self._blobs if self._takes(name) else None

    def _takes(self, name: str) -> bool:
        return self._chosen.distributed and not self._gone and self._refused[name] < _ENOUGH

    def ask(self, task: Task[T]) -> T | None:
        """See `plugins.executor.Ask`."""
        if not self._takes(task.name):
            return None
        try:
            return self.submit(task).result()
        except ExecutorUnavailable as problem:
            self.unavailable(problem)
            return None

    def submit(self, task: Task[T]) -> Future[T]:
        """Its future raises ExecutorUnavailable where the task must be done here: tell `unavailable`."""
        future = self._chosen.submit(task)
        future.add_done_callback(lambda done: self._seen(task.name, done))
        return future

    def _seen(self, name: str, done: Future[T]) -> None:
        if done.cancelled():
            return
        problem = done.exception()
        if isinstance(problem, TaskRefused):
            self._refused[name] += 1
        elif not isinstance(problem, ExecutorUnavailable):
            self._refused[name] = 0

    async def run(self, task: Task[T]) -> T:
        """The same for who waits on the event loop. A task whose waiter is cancelled may still be done."""
        return await asyncio.wrap_future(self.submit(task))

    def unavailable(self, problem: ExecutorUnavailable) -> None:
        """A task is done here, because of `problem`."""
        if self._gone:
            return
        self._gone = problem.gone
        reason = str(problem)
        if reason not in self._told:
            self._told.add(reason)
            rest = "the rest is done on this machine" if problem.gone else "done on this machine"
            self._notice(
                f"executor: {reason}; {rest}. Nothing is lost, and nothing is bought again"
            )

    def close(self) -> None:
        """Ends the executor and the pool."""
        if self._chosen is not self.pool:
            self._chosen.close()
        self.pool.close()


@contextmanager
def open_workers(
    registry: Registry, run_options: RunOptions, root: Path, notice: Callable[[str], None]
) -> Iterator[Workers]:
    """The executor that the options name, connected; `root`: the blob store's folder.

    Raises UsageError for an unknown one or one without its address, EarlyStop where nobody answers.
    """
    chosen = _chosen(registry, run_options)
    if chosen is None:
        workers = Workers()
    else:
        marker = f"tmp-workers-{secrets.token_hex(8)}"
        (root / marker).touch(0o600)
        workers = Workers(chosen(), SharedBlobs(root.absolute(), marker), notice)
    try:
        yield workers
    finally:
        workers.close()


@contextmanager
def open_asking(
    registry: Registry, run_options: RunOptions, notice: Callable[[str], None]
) -> Iterator[Ask | None]:
    """How workers of the executor that the options name are asked while a plan is made; None: it has none.
    Raises as `open_workers` does."""
    chosen = _chosen(registry, run_options)
    if chosen is None:
        yield None
        return
    with closing(Workers(chosen(), notice=notice)) as workers:
        yield workers.ask


def _chosen(registry: Registry, run_options: RunOptions) -> Callable[[], Executor] | None:
    """What connects the executor; None: the pool of this process is all there is. Raises UsageError."""
    record = registry.executor(run_options.executor or "local")
    address = run_options.scheduler
    if record.needs_address and not address:
        raise UsageError(f"--executor {record.name} needs --scheduler ADDRESS")
    if address and not record.needs_address:
        raise UsageError(f"--executor {record.name} uses no --scheduler; --executor dask does")
    if record.name == "local":
        return None
    return lambda: record.make(ExecutorContext(address))
