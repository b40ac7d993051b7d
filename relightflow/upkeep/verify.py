"""Re-hashes every blob the ledger relies on and looks at every file a sink was given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from relightflow.deliver.place import Place
from relightflow.errors import DamagedError
from relightflow.ledger import lock
from relightflow.ledger.reader import Reader, reading
from relightflow.model.upkeep import Verification
from relightflow.objects.faults import ObjectFault
from relightflow.plugins.sink import Presence, Stamp
from relightflow.store.blobs import MissingBlob, put_aside, read
from relightflow.store.home import Home
from relightflow.store.remote import Remote


def verify(home: Home, places: Sequence[Place], remote: Remote | None = None) -> Verification:
    """Blocks, and reads everything, the shared store too if there is one. Damaged blobs are put aside, so that the next run fetches them
    again; that needs the lock. Raises EarlyStop where a run holds it, StorageError."""
    if not home.ledger.exists():
        return _with_shared(Verification(0, (), (), 0, (), ()), remote)
    with lock.held(home.lock, "relightflow verify"), reading(home.ledger) as reader:
        found = _verify(home, reader, places)
    return _with_shared(found, remote)


def _with_shared(found: Verification, remote: Remote | None) -> Verification:
    """Raises AccountError, EarlyStop, UsageError where the store cannot be read."""
    if remote is None:
        return found
    try:
        looked = list(remote.damaged())
    except ObjectFault as error:
        raise error.as_error from None
    bad = tuple(key for key, damaged in looked if damaged)
    return replace(found, shared=len(looked), shared_damaged=bad)


def _verify(home: Home, reader: Reader, places: Sequence[Place]) -> Verification:
    damaged, missing, count = [], [], 0
    for sha256, _ in reader.blobs():
        count += 1
        try:
            read(home.blobs, sha256)
        except MissingBlob:
            missing.append(sha256)
        except DamagedError:
            put_aside(home.blobs, sha256)
            damaged.append(sha256)
    looked = [(path, presence) for place in places for path, presence in _look(place, reader)]
    return Verification(
        blobs=count,
        damaged=tuple(damaged),
        missing=tuple(missing),
        files=len(looked),
        edited=tuple(path for path, presence in looked if presence is Presence.EDITED),
        gone=tuple(path for path, presence in looked if presence is Presence.MISSING),
    )


def _look(place: Place, reader: Reader) -> Iterator[tuple[str, Presence]]:
    for row in reader.held_by(place.id):
        stamp = Stamp(row.sha256, row.size, "")  # no mark: the bytes are read
        yield f"{place.sink.place}/{row.path}", place.sink.look(row.path, stamp, row.sha256)
