"""Makes a lost ledger anew from the blob store and its index, without buying anything.

Images come back as stored. Calls that were under way come back as far as the trail says: accepted
ones are collected by the next run, and those whose answer is not on the trail are unknown.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from relightflow.errors import DamagedError, UsageError
from relightflow.ledger import lock, rows
from relightflow.ledger.ledger import Ledger
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.maintenance import Rebuilt
from relightflow.model.values import FrozenMap
from relightflow.store import blobs
from relightflow.store.state_dir import StateDir

RUN = "rebuilt"
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
        nonsense: list[int] = []
        entries = _sound_ones(blobs.index(state_dir.blobs), nonsense)
        found = list(_restored(state_dir, follow(entries)))
        spare = StateDir(state_dir.root / "rebuilding")
        spare.root.mkdir(mode=0o700, exist_ok=True)
        spare.ledger.unlink(missing_ok=True)
        ledger = Ledger(spare.ledger)
        try:
            restored = [(_row(row), row.get("at") or time.time()) for row in found]
            ledger.change_now(lambda db: rows.insert_restored(db, restored))
        finally:
            ledger.close()
        spare.ledger.rename(state_dir.ledger)
    return Rebuilt(
        stored=sum(row["state"] == State.STORED for row in found),
        open=sum(row["state"] not in (State.STORED, *_CLOSED) for row in found),
        failed=sum(row["state"] in _CLOSED for row in found),
        lost=sum(bool(row.get("lost")) for row in found),
        nonsense=len(nonsense),
    )


_NUMBER = (int, float)
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("key", "backend", "model", "image_sha256", "sha256", "media_type"), (str,)),
    **dict.fromkeys(("request_id", "reason"), (str,)),
    **dict.fromkeys(("repeat", "price", "size", "width", "height"), (int,)),
    **dict.fromkeys(("parameters", "details"), (dict,)),
    "cost": (int, type(None)),
    "at": _NUMBER,
}
_NAMES: dict[str, Collection[str]] = {
    "event": frozenset(State),
    "billed": frozenset(Billed),
    "kind": frozenset(FailureKind),
}
_LABEL = ("key", "backend", "model", "image_sha256", "parameters", "repeat", "price")


def is_sound(entry: Mapping[str, Any]) -> bool:
    """Whether a line of the index says something that a ledger can hold. Pure."""
    for name, types in _TYPES.items():
        value = entry.get(name)
        if name in entry and (not isinstance(value, types) or isinstance(value, bool)):
            return False
        if isinstance(value, int) and not 0 <= value < 1 << 62:
            return False
    named = (entry.get(name) for name in _NAMES if name in entry)
    allowed = (names for name, names in _NAMES.items() if name in entry)
    if any(
        not isinstance(v, str) or v not in names for v, names in zip(named, allowed, strict=True)
    ):
        return False
    if "event" not in entry and not isinstance(entry.get("sha256"), str):
        return False  # neither a step of a call nor a blob
    return "backend" not in entry or all(name in entry for name in _LABEL)


def _sound_ones(
    entries: Iterable[Mapping[str, Any]], nonsense: list[int]
) -> Iterator[Mapping[str, Any]]:
    """Passes over damaged lines, whose numbers are noted: one flipped bit must not keep all the rest
    from being found again."""
    for number, entry in enumerate(entries):
        if is_sound(entry):
            yield entry
        else:
            nonsense.append(number)


def follow(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The last thing the trail knows of every attempt. Pure.

    An INTENT begins an attempt; whatever names the same job afterwards is about the latest one.
    """
    attempts: list[dict[str, Any]] = []
    latest: dict[str, dict[str, Any]] = {}
    for entry in entries:
        key = entry.get("key")
        if not isinstance(key, str):
            continue
        if entry.get("event") == State.INTENT and key in latest:
            _yield_to(latest[key])
        if entry.get("event") == State.INTENT or key not in latest:
            latest[key] = {"state": State.INTENT, **entry}
            attempts.append(latest[key])
        facts = {name: value for name, value in entry.items() if value not in (None, "")}
        if "event" in entry:
            latest[key] |= facts | {"state": State(entry["event"])}
        elif entry.get("aside"):
            latest[key] |= {"kept": entry["sha256"]}
        else:
            latest[key].pop("billed", None)  # a doubt that was settled by what came
            latest[key] |= facts | {"state": State.STORED}
    return attempts


def _yield_to(attempt: dict[str, Any]) -> None:
    """A later call for the same job was allowed, so this attempt was closed by then."""
    if attempt["state"] in (State.STORED, State.PAID_UNFETCHED):
        attempt["billed"] = Billed.YES
    if attempt["state"] not in _CLOSED:
        attempt |= {"state": State.READY, "reason": "given up before the job was sent again"}
    elif attempt.get("billed") != Billed.NO:  # paid without an image, until its owner's word
        attempt["state"] = State.READY


def _restored(state_dir: StateDir, attempts: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The attempts as rows of a ledger; an image counts only if its bytes match."""
    for attempt in attempts:
        if attempt["state"] is State.STORED:
            try:
                blobs.read(state_dir.blobs, attempt["sha256"])
            except DamagedError:
                attempt["lost"] = True
        elif attempt["state"] is State.INTENT:
            attempt["state"] = State.UNKNOWN
            attempt["reason"] = "the ledger was lost while the call was under way"
        if "backend" in attempt:
            yield attempt


def _row(attempt: Mapping[str, Any]) -> rows.Restored:
    state = attempt["state"]
    billed = attempt.get("billed")
    if billed is None:
        paid = state in (State.STORED, State.PAID_UNFETCHED)
        billed = Billed.YES if paid else Billed.UNKNOWN
    return rows.Restored(
        job_key=attempt["key"],
        run_id=RUN,
        state=state,
        billed=billed,
        backend=attempt["backend"],
        model=attempt["model"],
        image_sha256=attempt["image_sha256"],
        parameters=FrozenMap(attempt["parameters"]),
        repeat=attempt["repeat"],
        price=attempt["price"],
        cost=attempt.get("cost"),
        request_id=attempt.get("request_id", ""),
        blob=attempt.get("sha256", "") if state is State.STORED else "",
        size=attempt.get("size", 0),
        width=attempt.get("width", 0),
        height=attempt.get("height", 0),
        media_type=attempt.get("media_type", ""),
        kind=FailureKind(attempt["kind"]) if attempt.get("kind") else None,
        reason=attempt.get("reason", ""),
        details=FrozenMap(attempt.get("details") or {}),
    )
