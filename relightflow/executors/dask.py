"""The `dask` executor: a cluster of dask.distributed, whatever has started it.

Dask may run a task twice (a worker that retires while it runs) or never (no worker comes), so tasks are
what may be repeated, and every one has a deadline. A thread of its own keeps the connection, so that
answers arrive however busy the rest of the process is. Where the connection is lost, with tasks or without,
they are given back, and a new one is tried for until the run ends.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

from relightflow.errors import EarlyStop, UsageError
from relightflow.executors.envelope import Envelope, done, opened, packed
from relightflow.plugins.executor import ExecutorUnavailable, Task
from relightflow.plugins.records import ExecutorContext

T = TypeVar("T")
_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 3.0
_AWAY = "the scheduler does not answer"
_LOGS = "distributed.admin.low-level-log-length"
"""How many batches of messages a client keeps for whoever looks for a mistake in it: 1,000, of up to 1 MB."""
_RETRIES = 3
"""Times that Dask may give a task to another worker after one that died with it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, as they can be replaced in tests."""

    deadline: float = 180.0
    """From `submit` on; a task that has no answer then is done on this machine."""
    no_worker: float = 20.0
    """Without any worker, after which tasks are done on this machine until one comes."""
    look: float = 1.0
    """Between two looks at how many workers there are."""
    again: float = 15.0
    """The longest pause between two tries to reach a scheduler that was lost."""


class Dask:
    distributed = True

    def __init__(self, context: ExecutorContext, patience: Patience | None = None) -> None:
        """Connects. Raises UsageError without dask or for an address that is none, EarlyStop where no
        scheduler answers."""
        self._patience = patience or Patience()
        self._address = context.address
        self._id = secrets.token_hex(4)
        self._numbers = count()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dask", daemon=True)
        self._thread.start()
        try:
            self._client = self._call(_connected(self._address))
        except BaseException:
            self._end_loop()
            raise
        self._idle = asyncio.Event()
        """Set while there is no worker, or no scheduler."""
        self._lost = asyncio.Event()
        """Set while there is no scheduler."""
        self._watching = asyncio.run_coroutine_threadsafe(self._watched(), self._loop)

    def submit(self, task: Task[T]) -> Future[T]:
        if self._closed:
            return _refused(
                ExecutorUnavailable("the connection to the cluster is closed", gone=True)
            )
        try:
            return asyncio.run_coroutine_threadsafe(
                self._done(packed(task), task.seconds or self._patience.deadline), self._loop
            )
        except ExecutorUnavailable as problem:
            return _refused(problem)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with suppress(Exception):  # the scheduler may be gone, and is told as a courtesy
            asyncio.run_coroutine_threadsafe(self._ended(), self._loop).result(_CLOSE_SECONDS)
        self._end_loop()

    async def _done(self, envelope: Envelope, deadline: float) -> Any:
        """What the task returned. Raises what it raised, or ExecutorUnavailable."""
        if self._idle.is_set():
            raise self._unavailable()
        key = f"{envelope.name}-{self._id}-{next(self._numbers)}"
        client = self._client
        future = client.submit(done, envelope, key=key, pure=False, retries=_RETRIES)
        answer = asyncio.ensure_future(future.result())
        idle = asyncio.ensure_future(self._idle.wait())
        try:
            await asyncio.wait((answer, idle), timeout=deadline, return_when="FIRST_COMPLETED")
            if answer.done():
                return opened(self._outcome(client, answer, key))
            if self._idle.is_set():
                raise self._unavailable()
            raise ExecutorUnavailable(f"a worker gave no answer within {deadline:g} s")
        finally:
            for waiting in (answer, idle):
                waiting.cancel()
            await asyncio.gather(answer, idle, return_exceptions=True)
            future.release()  # or the scheduler keeps the result

    def _outcome(self, client: Any, answer: asyncio.Future[Any], key: str) -> Any:
        """What Dask says of a task. Whatever it raises is its own: a task's exceptions are answers."""
        problem = None if answer.cancelled() else answer.exception()
        if not answer.cancelled() and problem is None:
            return answer.result()
        if client.status != "running" or "connection-lost" in str(problem):
            if client is self._client:
                self._lose()
            raise ExecutorUnavailable(_AWAY)
        if problem is None:
            raise ExecutorUnavailable("the scheduler has dropped a task")
        words = " ".join(str(problem).replace(key, "it").split())[:200]
        raise ExecutorUnavailable(
            f"the cluster could not do a task ({words or type(problem).__name__})"
        )

    def _lose(self) -> None:
        """The scheduler is away: nobody waits for it any longer."""
        self._lost.set()
        self._idle.set()

    def _unavailable(self) -> ExecutorUnavailable:
        return ExecutorUnavailable(_AWAY if self._lost.is_set() else "no worker is there")

    async def _watched(self) -> None:
        """See whether there are workers, and look for the scheduler where it is lost."""
        without = 0.0
        while True:
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    workers = await self._client.scheduler.ncores()
            except Exception:  # a dozen types say that the connection is lost
                self._lose()
            if self._lost.is_set():
                await self._reconnected()
                continue
            without = 0.0 if workers else without + self._patience.look
            if workers:
                self._idle.clear()
            elif without >= self._patience.no_worker:
                self._idle.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), self._patience.look)

    async def _reconnected(self) -> None:
        """Once a scheduler is there again, be it the old one or a new one that knows nothing of us. What the
        old one still had is done here by now."""
        with suppress(Exception):
            await self._client.close(timeout=1)
        pause = self._patience.look
        while True:
            await asyncio.sleep(pause)
            with suppress(Exception):  # it is not there yet, or not well
                self._client = await _connected(self._address)
                self._lost.clear()  # there may be no workers yet: the next look tells
                return
            pause = min(2 * pause, self._patience.again)

    async def _ended(self) -> None:
        self._lose()  # whoever still waits goes on without us
        self._watching.cancel()
        await asyncio.sleep(0)
        await self._client.close(timeout=_CLOSE_SECONDS / 2)

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end_loop(self) -> None:
        """Nobody may be left waiting for an answer that cannot come."""

        async def cancelled() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=1.0) if others else None

        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(cancelled(), self._loop).result(_CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()


def _refused(problem: ExecutorUnavailable) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(problem)
    return future


async def _connected(address: str) -> Any:
    """A client in this loop. Raises UsageError, EarlyStop."""
    try:
        from dask import config
        from distributed import Client
    except ImportError:
        raise UsageError(
            "--executor dask needs dask: pip install 'relightflow[dask]'; nothing was sent"
        ) from None
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "distributed":  # what matters is said in our own words
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client: Any = Client(
            address, asynchronous=True, timeout=_CONNECT_SECONDS, set_as_default=False
        )
    except Exception as problem:  # certificates that its configuration names and that are not there
        raise _unusable(address, problem) from None
    try:
        with config.set({_LOGS: 0}):
            await client
    except Exception as problem:
        with suppress(Exception):
            await client.close(timeout=1)
        if not isinstance(problem, OSError | TimeoutError):
            raise _unusable(address, problem) from None
        raise EarlyStop(
            f"no Dask scheduler answers at {address} ({_words(problem)}); nothing was sent. Start the "
            "cluster, or run without --executor"
        ) from None
    return client


def _unusable(address: str, problem: Exception) -> UsageError:
    """For an address, certificates or a version of Dask with which no connection can be made."""
    more = ""
    if address.startswith("tls:"):
        more = "; Dask's settings distributed.comm.tls name the certificates"
    return UsageError(f"--scheduler {address}: {_words(problem)}{more}; nothing was sent")


def _words(problem: Exception) -> str:
    return " ".join(str(problem).split())[:200] or type(problem).__name__
