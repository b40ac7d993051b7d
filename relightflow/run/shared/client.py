"""The shared store in a run: asked before anything is bought, told of everything that was.

A job that another machine finished is adopted: its bytes go into the local store, and no money is
booked. A call that another machine has in flight is collected, and booked as spent here, because
nobody else may live to do it. Telling the store happens behind the run's back: a store that fails
loses nothing and blocks nothing, and the next run tells it again. Asking is different: what cannot
be asked might have been bought already, so nothing new is bought then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from relightflow.errors import StorageError
from relightflow.images import BadImage, probe
from relightflow.ledger.reader import Reader
from relightflow.model.outcome import Result
from relightflow.model.step import Accepted
from relightflow.objects.faults import ObjectFault
from relightflow.store.index_entry import read_cost, read_details, read_request_id, read_time
from relightflow.store.shared import SharedStore

T = TypeVar("T")
THREADS = 16
ENOUGH = 3
"""Failed publications in a row after which the rest waits for the next run."""
_LEAVING = 3.0
"""Seconds that an interrupted run waits for what is being published."""
_NOTES = "shared-store"


class SharedStoreClient:
    """Open it on the event loop; `close` waits for what is being published."""

    def __init__(self, store: SharedStore, write: bool, notice: Callable[[str], None]) -> None:
        """`write` False: only asked, never told."""
        self.store = store
        self.write = write
        self._notice = notice
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="shared")
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed = 0
        self._in_a_row = 0
        self._why = ""

    async def finished(self, label: Mapping[str, Any]) -> tuple[Result, bytes] | None:
        """The result of a job that some machine finished, checked. Raises ObjectFault."""
        return await self._do(self._finished, label)

    async def accepted(self, label: Mapping[str, Any]) -> tuple[Accepted, float] | None:
        """A call that some machine has in flight, and when it was made. Raises ObjectFault."""
        entry = await self._do(self.store.accepted, label)
        if entry is None:
            return None
        step = Accepted(entry["request_id"], read_details(entry))
        return step, read_time(entry)

    async def announce(self, label: Mapping[str, Any], step: Accepted, at: float) -> None:
        """Publish a request id, before it is polled; failing to is no failure of the job."""
        if self.write and self._in_a_row < ENOUGH:
            facts = {"request_id": step.request_id, "details": step.details, "at": at}
            await self._told(partial(self.store.announce, {**label, **facts}))

    def retract(self, key: str) -> None:
        """The call is over and gave no image."""
        if self.write:
            self._spawn(self._told(partial(self.store.retract, key)))

    def publish(
        self,
        entry: Mapping[str, Any],
        read: Callable[[], bytes],
        note: Callable[[str, str, str], Any],
    ) -> None:
        """Tell the store of a finished job, in the background. `read` gives its bytes, in a thread;
        `note` remembers, durably, that it was told."""
        if self.write:
            self._spawn(self._publish(entry, read, note))

    def is_published(self, reader: Reader, key: str) -> bool:
        """Whether the store was told of a job's result."""
        return reader.recall(_NOTES, self._note(key)) is not None

    async def close(self, draining: bool) -> None:
        """Wait for what is under way; say what has to wait for the next run."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_LEAVING if draining else None)
            self._failed += len(late)
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._failed:
            self._notice(
                f"{self._failed:,} not written to the shared store {self.store} "
                f"({self._why or 'interrupted'}); everything is stored locally, and the next run "
                "writes it again"
            )

    async def _publish(
        self,
        entry: Mapping[str, Any],
        read: Callable[[], bytes],
        note: Callable[[str, str, str], Any],
    ) -> None:
        if self._in_a_row >= ENOUGH:
            self._failed += 1
            return

        def work() -> None:
            self.store.publish(entry, read())

        if await self._told(work):
            await note(_NOTES, self._note(entry["key"]), "1")

    async def _told(self, work: Callable[[], None]) -> bool:
        try:
            await self._do(work)
        except (ObjectFault, StorageError, OSError) as error:
            self._failed += 1
            self._in_a_row += 1
            self._why = error.words if isinstance(error, ObjectFault) else str(error)
            return False
        self._in_a_row = 0
        return True

    async def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(work, *arguments))

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, key: str) -> str:
        return f"{self.store} {key}"

    def _finished(self, label: Mapping[str, Any]) -> tuple[Result, bytes] | None:
        entry = self.store.finished(label)
        data = self.store.blob(entry["sha256"]) if entry else None
        if entry is None or data is None:
            return None
        try:
            image = probe(data)
        except BadImage:
            return None
        cost = read_cost(entry)
        result = Result(
            entry["sha256"],
            len(data),
            image.width,
            image.height,
            image.media_type,
            read_request_id(entry),
            label["price"] if cost is None else cost,
            read_details(entry),
        )
        return result, data
