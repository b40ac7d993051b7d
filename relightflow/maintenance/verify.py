"""Re-hashes every blob the ledger relies on and looks at every file a sink was given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from relightflow.deliver.target import SinkTarget
from relightflow.errors import DamagedError
from relightflow.ledger import lock
from relightflow.ledger.reader import Reader, open_reader
from relightflow.model.maintenance import Verification
from relightflow.objects.faults import ObjectFault
from relightflow.plugins.sink import FileState, WriteReceipt
from relightflow.store.blobs import MissingBlob, put_aside, read
from relightflow.store.shared import SharedStore
from relightflow.store.state_dir import StateDir


def verify(
    state_dir: StateDir, places: Sequence[SinkTarget], store: SharedStore | None = None
) -> Verification:
    """Blocks, and reads everything, the shared store too if there is one. Damaged blobs are put aside, so that the next run fetches them
    again; that needs the lock. Raises EarlyStop where a run holds it, StorageError."""
    if not state_dir.ledger.exists():
        return _with_shared(Verification(0, (), (), 0, (), ()), store)
    with (
        lock.acquire(state_dir.lock, "relightflow verify"),
        open_reader(state_dir.ledger) as reader,
    ):
        found = _verify(state_dir, reader, places)
    return _with_shared(found, store)


def _with_shared(found: Verification, store: SharedStore | None) -> Verification:
    """Raises AccountError, EarlyStop, UsageError where the store cannot be read."""
    if store is None:
        return found
    try:
        looked = list(store.damaged())
    except ObjectFault as error:
        raise error.as_error from None
    bad = tuple(key for key, damaged in looked if damaged)
    return replace(found, shared=len(looked), shared_damaged=bad)


def _verify(state_dir: StateDir, reader: Reader, places: Sequence[SinkTarget]) -> Verification:
    damaged, missing, count = [], [], 0
    for sha256, _ in reader.blobs():
        count += 1
        try:
            read(state_dir.blobs, sha256)
        except MissingBlob:
            missing.append(sha256)
        except DamagedError:
            put_aside(state_dir.blobs, sha256)
            damaged.append(sha256)
    looked = [(path, file_state) for place in places for path, file_state in _look(place, reader)]
    return Verification(
        blobs=count,
        damaged=tuple(damaged),
        missing=tuple(missing),
        files=len(looked),
        edited=tuple(path for path, file_state in looked if file_state is FileState.EDITED),
        gone=tuple(path for path, file_state in looked if file_state is FileState.MISSING),
    )


def _look(place: SinkTarget, reader: Reader) -> Iterator[tuple[str, FileState]]:
    for row in reader.held_by(place.id):
        stamp = WriteReceipt(row.sha256, row.size, "")  # no mark: the bytes are read
        yield f"{place.sink.location}/{row.path}", place.sink.check(row.path, stamp, row.sha256)
