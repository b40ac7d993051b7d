"""Recreates a lost ledger from the blob store's index, without buying anything.

Images come back as stored. Calls that were under way come back as far as the index says: accepted
ones are collected by the next run, and those whose answer is not recorded are unknown.
"""

from __future__ import annotations

from relightflow.errors import DamagedError, UsageError
from relightflow.ledger import lock
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.restoring import Found, differences
from relightflow.model.attempt import State
from relightflow.model.maintenance import Rebuilt
from relightflow.run.restoring import found_in
from relightflow.store import blobs
from relightflow.store.index_attempts import attempts_of
from relightflow.store.index_reader import START, read_since
from relightflow.store.state_dir import StateDir

_CLOSED = (State.READY, State.FAILED)


def rebuild(state_dir: StateDir) -> Rebuilt:
    """Blocks. Raises UsageError where there still is a ledger, EarlyStop where a run holds the lock."""
    state_dir.create()
    with lock.acquire(state_dir.lock, "relightflow rebuild"):
        if state_dir.ledger.exists():
            raise UsageError(
                f"there is a ledger at {state_dir.ledger}; move it away first (and keep it), then run "
                "this again"
            )
        for suffix in ("-wal", "-shm"):  # belong to the ledger that was moved away
            state_dir.ledger.with_name(state_dir.ledger.name + suffix).unlink(missing_ok=True)
        part = read_since(state_dir.blobs, START)
        found = list(found_in(attempts_of(part.entries)))
        spare = StateDir(state_dir.root / "rebuilding")
        spare.root.mkdir(mode=0o700, exist_ok=True)
        spare.ledger.unlink(missing_ok=True)
        ledger = Ledger(spare.ledger)
        try:
            missing = ledger.change_now(lambda db: differences(db, found, lambda _: True))
            ledger.put_back_now(missing, (part.end.offset, part.end.tail))
        finally:
            ledger.close()
        spare.ledger.rename(state_dir.ledger)
    return Rebuilt(
        stored=sum(one.attempt.state is State.STORED for one in found),
        open=sum(one.attempt.state not in (State.STORED, *_CLOSED) for one in found),
        failed=sum(one.attempt.state in _CLOSED for one in found),
        lost=sum(_is_lost(state_dir, one) for one in found),
        nonsense=part.nonsense,
    )


def _is_lost(state_dir: StateDir, found: Found) -> bool:
    """An image counts only if its bytes match."""
    if found.attempt.state is not State.STORED:
        return False
    try:
        blobs.read(state_dir.blobs, found.attempt.blob)
    except DamagedError:
        return True
    return False
