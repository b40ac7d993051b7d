"""The shared store in a run, in threads: asked before anything is bought, told of everything that was.

Telling the store happens behind the run's back: a store that fails
loses nothing and blocks nothing, and the next run tells it again. Asking is different: what cannot
be asked might have been bought already, so nothing new is bought then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from relightflow.errors import StorageError
from relightflow.images import BadImage, probe
from relightflow.ledger.reader import Reader
from relightflow.model.claim import JobClaim
from relightflow.model.outcome import Result
from relightflow.objects.faults import ObjectFault
from relightflow.store.costs import StoreCharge
from relightflow.store.entries import DamagedEntry
from relightflow.store.index_entry import read_cost, read_details, read_request_id
from relightflow.store.marker import StoreMarker
from relightflow.store.shared import SharedStore, StoreRecords

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
        self.notice = notice
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="shared")
        self._tasks: set[asyncio.Task[None]] = set()
        self._creating: dict[str, asyncio.Future[bool]] = {}
        """Attempt → the claim that is being made for it."""
        self._failed = 0
        self._in_a_row = 0
        self._why = ""

    @property
    def atomic(self) -> bool:
        """Whether a claim that was created holds, as the store's marker says."""
        return self.store.check().atomic

    async def check(self) -> StoreMarker:
        """Raises StorageError where the place is no store, ObjectFault where it cannot be asked."""
        return await self._do(self.store.check)

    async def finished(
        self, label: Mapping[str, Any], attempt: str = ""
    ) -> tuple[Result, bytes] | None:
        """The result of a job that some machine finished, checked; `attempt`: only if this one made it.
        Raises ObjectFault; DamagedEntry where it is there and no good."""
        return await self._do(self._finished, label, attempt)

    async def is_finished(self, label: Mapping[str, Any]) -> bool:
        """Whether some machine finished a job, however its result looks by now. Raises ObjectFault."""
        try:
            return await self.finished(label) is not None
        except DamagedEntry:
            return True

    async def claim_of(self, label: Mapping[str, Any]) -> JobClaim | None:
        """The claim on a job, whoever made it. Raises ObjectFault."""
        return await self._do(lambda: self.store.claims.of(label))

    async def create_claim(self, label: Mapping[str, Any], claim: JobClaim) -> bool:
        """Claim a job. False: something is there already. Raises ObjectFault."""
        created = self._start(lambda: self.store.claims.create(label, claim))
        self._creating[claim.attempt] = created
        try:
            return await asyncio.shield(created)  # what was sent arrives, whoever waits for it
        finally:
            if created.done():
                del self._creating[claim.attempt]

    async def take_over(
        self, label: Mapping[str, Any], claim: JobClaim, old: JobClaim, token: str
    ) -> bool:
        """Put `claim` in the place of `old`, which is ours. `token`: what it is done under, 32 hex digits; the same
        again after a crash. False: somebody else was faster. Raises ObjectFault."""

        def work() -> bool:
            claims = self.store.claims
            if not claims.take_over(old.attempt, token):
                return False
            try:
                if claims.of(label) != old:
                    return False
                claims.put(label, claim)
                return True
            finally:
                with suppress(ObjectFault):  # litter, once another claim is in its place
                    claims.drop_takeover(old.attempt)

        return await self._do(work)

    async def tell_claim(self, label: Mapping[str, Any], claim: JobClaim) -> None:
        """Write down how far the owner has come; failing to is no failure of the job."""
        if self.write and self._in_a_row < ENOUGH:
            await self._told(lambda: self.store.claims.put(label, claim))

    async def tell_cost(self, label: Mapping[str, Any], charge: StoreCharge) -> None:
        """Write down what a call without an image cost; failing to is no failure of the job: its claim
        goes on counting."""
        if self.write and self._in_a_row < ENOUGH:
            await self._told(lambda: self.store.book(label, charge))

    async def spending(self) -> StoreRecords:
        """What was paid through the store, and what may be. Raises ObjectFault."""
        return await self._do(self.store.spending)

    async def ask(self, work: Callable[[SharedStore], T]) -> T:
        """`work` done in a thread, to its end whoever waits for it. Raises what it raises."""
        return await asyncio.shield(self._start(lambda: work(self.store)))

    async def release(self, label: Mapping[str, Any], attempt: str) -> bool:
        """Take the claim of `attempt` away; False where the store could not be told."""
        if creating := self._creating.pop(attempt, None):
            with suppress(ObjectFault, StorageError):
                await creating  # it may still arrive
        if not self.write or self._in_a_row >= ENOUGH:
            return False
        return await self._told(lambda: self.store.claims.release(label, attempt))

    def publish(
        self,
        entry: Mapping[str, Any],
        read: Callable[[], bytes],
        note: Callable[[str, str, str], Any],
        charge: StoreCharge | None = None,
    ) -> None:
        """Tell the store of a finished job, in the background. `read` gives its bytes, in a thread;
        `note` remembers, durably, that it was told; `charge`: what this machine paid."""
        if self.write:
            self.spawn(self._publish(entry, read, note, charge))

    async def note_published(self, key: str, note: Callable[[str, str, str], Any]) -> None:
        """The store has a job's result, from whomever."""
        await note(_NOTES, self._note(key), "1")

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
            self.notice(
                f"{self._failed:,} not written to the shared store {self.store} "
                f"({self._why or 'interrupted'}); everything is stored locally, and the next run "
                "writes it again"
            )

    async def _publish(
        self,
        entry: Mapping[str, Any],
        read: Callable[[], bytes],
        note: Callable[[str, str, str], Any],
        charge: StoreCharge | None,
    ) -> None:
        if self._in_a_row >= ENOUGH:
            self._failed += 1
            return

        def work() -> None:
            self.store.publish(entry, read(), charge)

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
        return await self._start(partial(work, *arguments))

    def _start(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Do it behind the run's back; `close` waits for it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _note(self, key: str) -> str:
        return f"{self.store} {key}"

    def _finished(self, label: Mapping[str, Any], attempt: str) -> tuple[Result, bytes] | None:
        entry = self.store.finished(label)
        if entry and attempt and entry.get("attempt") != attempt:
            return None
        if entry is None:
            return None
        data = self.store.blob(entry["sha256"])
        try:
            if data is None:
                raise DamagedEntry(entry["sha256"])
            image = probe(data)
        except BadImage:
            raise DamagedEntry(entry["sha256"]) from None
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
