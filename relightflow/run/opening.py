"""Opens the state and a backend, in order (lock, ledger, store, backend), and closes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

from relightflow.errors import StorageError
from relightflow.ledger import lock
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.lock import HeldLock
from relightflow.ledger.reader import Reader, open_reader
from relightflow.model.catalog import Model
from relightflow.model.restoration import Restoration
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend
from relightflow.plugins.executor import Executor
from relightflow.plugins.records import BackendContext, BackendRecord, OperatorPolicy
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.plan_status import check_ledger_present
from relightflow.run.restoring import restore
from relightflow.store import blobs
from relightflow.store.blobs import BlobStore
from relightflow.store.state_dir import StateDir


@dataclass(frozen=True, slots=True)
class OpenState:
    """The state folder, opened for writing by this process alone."""

    ledger: Ledger
    blobs: BlobStore
    state_dir: StateDir
    lock: HeldLock
    reader: Reader
    """Of the ledger, for one thread at a time."""
    restoration: Restoration
    """What the ledger had lost and the blob store still knew."""


@contextmanager
def open_state(state_dir: StateDir, who: str, *, durable: bool = True) -> Iterator[OpenState]:
    """The state, with the ledger brought to what the blob store knows. `durable`: False where
    nothing that costs money is done, so that a power cut may take back what was last made.

    Raises EarlyStop where another run holds the lock, StorageError where the ledger is no good.
    """
    state_dir.create()
    with lock.acquire(state_dir.lock, who) as held:
        check_ledger_present(state_dir)
        blobs.sweep(state_dir.blobs)
        ledger = Ledger(state_dir.ledger, durable=durable)
        store = BlobStore(state_dir.blobs, durable=durable)
        try:
            restoration = restore(state_dir.blobs, ledger)
            with open_reader(state_dir.ledger) as reader:
                yield OpenState(ledger, store, state_dir, held, reader, restoration)
        finally:
            store.close()
            # a second signal may have closed the ledger already
            with suppress(StorageError, RuntimeError):
                restore(state_dir.blobs, ledger)  # so that the next run has nothing to compare
            ledger.close()


class _LedgerMemory:
    """A backend's notes, kept in the ledger."""

    def __init__(self, backend: str, ledger: Ledger, reader: Reader) -> None:
        self._backend = backend
        self._ledger = ledger
        self._reader = reader

    def recall(self, key: str) -> str | None:
        return self._reader.recall(self._backend, key)

    async def remember(self, key: str, value: str) -> None:
        await self._ledger.remember(self._backend, key, value)

    async def forget(self, key: str) -> None:
        await self._ledger.remember(self._backend, key, None)


async def _nothing(_: Backend) -> None:
    return None


@asynccontextmanager
async def open_backend(
    record: BackendRecord,
    model: Model,
    options: FrozenMap,
    state: OpenState,
    operator: OperatorPolicy,
    notice: Callable[[str], None],
    on_open: Callable[[Backend], Awaitable[None]] = _nothing,
    pool: Executor | None = None,
) -> AsyncIterator[LazyBackend]:
    """The backend, made when it is first needed, and closed at the end. `pool`: for its heavy work."""
    with open_reader(state.state_dir.ledger) as reader:
        memory = _LedgerMemory(record.name, state.ledger, reader)
        context = BackendContext(model, options, memory, notice, operator, pool)
        backend = LazyBackend(lambda: record.make(context), on_open)
        try:
            yield backend
        finally:
            await backend.close()
