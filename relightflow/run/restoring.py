"""Holds the ledger and the blob store's index against each other, so that a ledger which is older
than the results buys nothing again.

What the index knows and the ledger does not is put back when a state is opened for writing. Commands
that only read see the ledger as it will be then. How far the two were found to agree is remembered in
the ledger, so that only what is new is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relightflow.errors import DamagedError, StorageError
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import Reader, open_reader
from relightflow.ledger.restoring import IndexedAttempts
from relightflow.ledger.rows import Restored
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.restoration import Restoration
from relightflow.model.values import FrozenMap
from relightflow.store import blobs
from relightflow.store.index_attempts import attempts_of
from relightflow.store.index_reader import START, IndexPart, IndexPosition, read_since
from relightflow.store.state_dir import StateDir

_UNKNOWN_RUN = "rebuilt"
"""Run of an attempt whose lines do not say it, as those of relightflow 0.1.0 do not."""


@dataclass(frozen=True, slots=True)
class StateReader:
    """A state that is open for reading: the ledger as the next run will find it. A command opens it once and
    hands it to whatever reads the state."""

    state_dir: StateDir
    ledger: Reader
    restoration: Restoration
    """What that run will put back first."""


def restore(folder: Path, ledger: Ledger) -> Restoration:
    """Put back what the index knows and the ledger does not, and remember how far both agree. A call that
    is left in INTENT although its image is in the store becomes STORED. `folder`: of the blob store.

    Blocks; needs the lock. Raises StorageError.
    """
    with open_reader(ledger.path) as reader:
        part, found = _unread(folder, reader)
        missing = reader.missing(found, is_whole(folder))
        agreed = _position(reader) == part.end
    if agreed and not missing:
        return Restoration()
    return ledger.put_back_now(missing, (part.end.offset, part.end.tail))


@contextmanager
def open_state_reader(state: StateDir | StateReader) -> Iterator[StateReader]:
    """For commands that change nothing: what a run would put back is in place. One that is open already
    is given as it is, and stays open. Raises StorageError."""
    if isinstance(state, StateReader):
        yield state
        return
    state_dir = state
    with open_reader(state_dir.ledger) as reader:
        if reader.empty:
            yield StateReader(state_dir, reader, Restoration())
            return
        reader.check_agreement()
        found = _unread(state_dir.blobs, reader)[1]
        missing = reader.missing(found, is_whole(state_dir.blobs))
        if not missing:
            yield StateReader(state_dir, reader, Restoration())
            return
        with reader.with_put_back(missing) as (copy, restoration):
            yield StateReader(state_dir, copy, restoration)


def _position(reader: Reader) -> IndexPosition:
    noted = reader.index_position()
    return IndexPosition(*noted) if noted else START


def _unread(root: Path, reader: Reader) -> tuple[IndexPart, list[IndexedAttempts]]:
    """What the ledger may not know yet. Where the new lines alone do not say which job an unknown
    attempt is for, the whole index is read."""
    part = read_since(root, _position(reader))
    attempts = attempts_of(part.entries)
    nameless = [one for one in attempts if "backend" not in one]
    if nameless and not part.whole:
        keys = {one["key"] for one in nameless}
        part = read_since(root, START)
        attempts = attempts_of(part.entries)
        attempts = [one for one in attempts if one["key"] in keys or "backend" in one]
    return part, list(found_in(attempts))


def found_in(attempts: Iterable[Mapping[str, Any]]) -> Iterator[IndexedAttempts]:
    """The attempts that a ledger can hold; one of which only a later line was left says too little."""
    for attempt in attempts:
        if "backend" in attempt:
            yield IndexedAttempts(
                _row(attempt),
                attempt.get("at") or time.time(),
                attempt.get("recipe", ""),
                attempt.get("plan", ""),
            )


def _row(attempt: Mapping[str, Any]) -> Restored:
    state = attempt["state"]
    stored = state is State.STORED
    billed = attempt.get("billed")
    if attempt["price"] == 0:
        billed = Billed.NO
    elif billed is None:
        billed = Billed.YES if stored or state is State.PAID_UNFETCHED else Billed.UNKNOWN
    return Restored(
        job_key=attempt["key"],
        run_id=attempt.get("run") or _UNKNOWN_RUN,
        state=state,
        billed=Billed(billed),
        backend=attempt["backend"],
        model=attempt["model"],
        image_sha256=attempt["image_sha256"],
        parameters=FrozenMap(attempt["parameters"]),
        repeat=attempt["repeat"],
        price=attempt["price"],
        cost=attempt.get("cost"),
        request_id=attempt.get("request_id", ""),
        blob=attempt.get("sha256", "") if stored else "",
        size=attempt.get("size", 0),
        width=attempt.get("width", 0),
        height=attempt.get("height", 0),
        media_type=attempt.get("media_type", ""),
        kind=FailureKind(attempt["kind"]) if attempt.get("kind") else None,
        reason=attempt.get("reason", ""),
        details=FrozenMap(attempt.get("details") or {}),
        uuid=attempt.get("attempt", ""),
        floor=attempt.get("floor"),
    )


def is_whole(root: Path) -> Callable[[str], bool]:
    """Whether a blob is in the store in `root` and matches its hash."""

    def check(sha256: str) -> bool:
        try:
            blobs.read(root, sha256)
        except (DamagedError, StorageError):
            return False
        return True

    return check
