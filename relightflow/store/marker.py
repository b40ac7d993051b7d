"""What makes a place a shared store: one object that says so, and what the store can promise.

    relightflow-store.json     format, id, and how a race for claims went

A URL without it is a typo or a share that is not mounted, and buying there would buy everything again. The
race tells whether the store lets one of several writers create an object: only then is a claim a lock.
Everything here blocks.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

from relightflow.errors import StorageError
from relightflow.model.values import canonical_json
from relightflow.objects.bucket import Bucket
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.index_entry import decoded

MARKER = "relightflow-store.json"
PAIRS = 300
"""Races that `init_store` runs. Where half of all races have two winners, one in 2³⁰⁰ finds none."""
_FORMAT = 1
_RACES = "races"
_WRITERS = 8
_DELETED = 500
"""Objects in one request."""
_MOST = 1 << 16
_REFUSED = (Reason.UNSUPPORTED, Reason.REFUSED)


@dataclass(frozen=True, slots=True)
class StoreMarker:
    id: str
    """32 hex digits, made with the store."""
    atomic: bool
    """Of several machines that create one object, exactly one succeeds: a claim holds."""
    pairs: int = 0
    """Races that were run."""
    doubles: int = 0
    """Races that both writers won."""


def read_marker(bucket: Bucket) -> StoreMarker:
    """Raises StorageError where there is none, ObjectFault where the store cannot be asked."""
    try:
        found = decoded(bucket.get(MARKER, most=_MOST))
    except ObjectFault as fault:
        if fault.reason is not Reason.MISSING:
            raise
        raise StorageError(
            f"{bucket} is not a shared store of relightflow: it has no {MARKER}, so the URL is wrong or "
            "the share is not mounted; nothing was sent. To use it as a store for the first time, or "
            f"after version 0.1, run: relightflow store init {bucket} (it keeps what is there)"
        ) from None
    if found is None or type(found.get("format")) is not int or found["format"] < _FORMAT:
        raise StorageError(
            f"{bucket}{MARKER} is damaged, so it is not known what the store promises; nothing was sent. "
            f"Delete it and run: relightflow store init {bucket}"
        )
    if found["format"] > _FORMAT:
        raise StorageError(
            f"the shared store {bucket} was made by a newer version of relightflow; nothing was sent. "
            "Upgrade relightflow on this machine"
        )
    return _marker(found)


def _marker(found: dict[str, Any]) -> StoreMarker:
    pairs, doubles = (found.get(name) for name in ("pairs", "doubles"))
    counts = [number if type(number) is int else 0 for number in (pairs, doubles)]
    return StoreMarker(str(found.get("id", "")), found.get("atomic") is True, *counts)


def init_store(bucket: Bucket, pairs: int = PAIRS) -> tuple[StoreMarker, bool]:
    """Run the race and write down what the store can promise; whether it is a new store. What is there
    stays. Raises ObjectFault; StorageError where a newer version made the store."""
    try:
        before: StoreMarker | None = read_marker(bucket)
    except StorageError:
        if bucket.head(MARKER) is not None:
            raise
        before = None
    doubles = _race(bucket, pairs)
    name = before.id if before else uuid.uuid4().hex
    # what once failed is never believed again
    doubles += before.doubles if before else 0
    pairs += before.pairs if before else 0
    marker = StoreMarker(name, doubles == 0, pairs, doubles)
    facts = {"id": name, "atomic": marker.atomic, "pairs": pairs, "doubles": doubles}
    text = canonical_json({"format": _FORMAT, **facts}).encode("ascii")
    bucket.put(MARKER, text, "application/json")
    return marker, before is None


def _race(bucket: Bucket, pairs: int) -> int:
    """How many of `pairs` races had two winners; all of them where the store knows no conditional put."""
    folder = f"{_RACES}/{uuid.uuid4().hex}"
    paths = [f"{folder}/{number}" for number in range(pairs)]
    with ThreadPoolExecutor(_WRITERS) as pool:
        try:
            won = list(_winners(bucket, paths, pool))
        except ObjectFault as fault:
            if fault.reason not in _REFUSED:
                raise
            won = [2] * pairs
        finally:
            for first in range(0, pairs, _DELETED):
                bucket.delete(paths[first : first + _DELETED])
    return sum(number > 1 for number in won)


def _winners(bucket: Bucket, paths: list[str], pool: ThreadPoolExecutor) -> Iterator[int]:
    """Of each path, how many of two writers created it."""
    running: list[tuple[Future[bool], Future[bool]]] = []
    for path in paths:
        start = Barrier(2, timeout=120)
        one, two = (pool.submit(_create, bucket, path, start, n) for n in range(2))
        running.append((one, two))
    for one, two in running:
        yield one.result() + two.result()


def _create(bucket: Bucket, path: str, start: Barrier, writer: int) -> bool:
    start.wait()
    try:
        bucket.put(path, b"%d" % writer, only_new=True)
    except ObjectFault as fault:
        if fault.reason is Reason.CHANGED:
            return False
        raise
    return True
