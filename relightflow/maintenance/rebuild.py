"""Recreates a lost ledger from the blob store's index, without buying anything.

Images come back as stored. Calls that were under way come back as far as the index says: accepted
ones are collected by the next run, and those whose answer is not recorded are unknown.
"""

from __future__ import annotations

import time
from pathlib import Path

from relightflow.errors import DamagedError, UsageError
from relightflow.ledger import lock
from relightflow.ledger.backup import copy_ledger
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import open_reader
from relightflow.ledger.restoring import IndexedAttempts, differences
from relightflow.model.attempt import State
from relightflow.model.maintenance import Rebuilt
from relightflow.run.restoring import found_in, is_whole
from relightflow.store import blobs
from relightflow.store.index_attempts import attempts_of
from relightflow.store.index_reader import START, read_since
from relightflow.store.state_dir import StateDir

_CLOSED = (State.READY, State.FAILED)


def rebuild(state_dir: StateDir, backup: Path | None = None) -> Rebuilt:
    """From nothing, or from a copy that `relightflow backup` made. Blocks.

    With a `backup`, the ledger that is there is moved to a folder `replaced-…` beside it. Raises
    UsageError where there still is a ledger and no backup, StorageError where the backup is none,
    EarlyStop where a run holds the lock.
    """
    if backup:
        with open_reader(backup) as reader:
            if reader.empty:
                raise UsageError(f"{backup} is not a copy of a ledger; nothing was changed")
            reader.check_agreement()
    state_dir.create()
    with lock.acquire(state_dir.lock, "relightflow rebuild"):
        if state_dir.ledger.exists() and not backup:
            raise UsageError(
                f"the ledger {state_dir.ledger} exists; move it away first (and keep it), then "
                "run this again"
            )
        part = read_since(state_dir.blobs, START)
        found = list(found_in(attempts_of(part.entries)))
        spare = StateDir(state_dir.root / "rebuilding")
        spare.root.mkdir(mode=0o700, exist_ok=True)
        spare.ledger.unlink(missing_ok=True)
        if backup:
            copy_ledger(backup, spare.ledger)
        ledger = Ledger(spare.ledger)
        try:
            missing = ledger.change_now(
                lambda db: differences(db, found, is_whole(state_dir.blobs))
            )
            ledger.put_back_now(missing, (part.end.offset, part.end.tail))
        finally:
            ledger.close()
        _move_away(state_dir)
        spare.ledger.rename(state_dir.ledger)
    return Rebuilt(
        stored=sum(one.attempt.state is State.STORED for one in found),
        open=sum(one.attempt.state not in (State.STORED, *_CLOSED) for one in found),
        failed=sum(one.attempt.state in _CLOSED for one in found),
        lost=sum(_is_lost(state_dir, one) for one in found),
        nonsense=part.nonsense,
    )


def _move_away(state_dir: StateDir) -> None:
    """The old ledger with what belongs to it: a `-wal` file beside another ledger would be applied to
    it."""
    present = [state_dir.ledger.with_name(state_dir.ledger.name + s) for s in ("-wal", "-shm", "")]
    aside = state_dir.root / time.strftime("replaced-%Y%m%dT%H%M%SZ", time.gmtime())
    for path in present:
        if path.exists():
            aside.mkdir(mode=0o700, exist_ok=True)
            path.rename(aside / path.name)


def _is_lost(state_dir: StateDir, found: IndexedAttempts) -> bool:
    """An image counts only if its bytes match."""
    if found.attempt.state is not State.STORED:
        return False
    try:
        blobs.read(state_dir.blobs, found.attempt.blob)
    except DamagedError:
        return True
    return False
