"""A store that machines share: finished jobs and their bytes, and claims on jobs that are bought.

    relightflow-store.json     what makes it a store, and what it can promise (`marker`)
    blobs/ab/<sha256>          a result's bytes
    jobs/ab/<job key>.json     what a finished job came to, written after its blob
    inflight/<job key>.json    the claim on a job (`claims`)
    costs/<recipe>/…           what was paid (`costs`)
    reservations/<number>.json what machines have set aside (`reservations`)

What machines write about a finished job is equally true, whoever is last. Nothing is believed: an entry
counts only if it is about the very job, and its bytes match their hash. Methods block, may be called from
several threads, and raise ObjectFault, and StorageError where the place is no store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from relightflow.model.claim import JobClaim
from relightflow.model.reservation import Reserved
from relightflow.objects.bucket import Bucket, Facts, opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.blobs import is_name
from relightflow.store.claims import Claims
from relightflow.store.costs import Costs, StoreCharge
from relightflow.store.entries import DamagedEntry, Entries
from relightflow.store.marker import MARKER, StoreMarker, read_marker
from relightflow.store.reservations import Reservations

BLOBS, JOBS = "blobs", "jobs"
_LOOKS = 3
_MOST_BLOB = 64 << 20


@dataclass(frozen=True, slots=True)
class StoreRecords:
    """What the store says of money."""

    reserved: Reserved = field(default_factory=Reserved)
    """Read before the others."""
    claims: tuple[JobClaim, ...] = ()
    costs: tuple[StoreCharge, ...] = ()


class SharedStore:
    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self._entries = Entries(bucket)
        self._claims = Claims(bucket)
        self._costs = Costs(bucket)
        self._reservations = Reservations(bucket)
        self._marker: StoreMarker | None = None

    def __str__(self) -> str:
        return str(self.bucket)

    def check(self) -> StoreMarker:
        """What the store promises; read once, and again where a folder has lost it. Raises StorageError where
        the place is no store."""
        if self._marker is None or not self.bucket.may_hold(MARKER):
            self._marker = read_marker(self.bucket)
        return self._marker

    @property
    def claims(self) -> Claims:
        self.check()
        return self._claims

    def finished(self, job: Mapping[str, Any]) -> dict[str, Any] | None:
        """The entry of a finished job (its label); None where there is none. Raises DamagedEntry where there is
        one that makes no sense, or is about another job: it may have been paid for."""
        self.check()
        path = _of_job(job["key"])
        entry = self._entries.must_be_of_job(path, job)
        if entry and not is_name(entry.get("sha256")):
            raise DamagedEntry(path)
        return entry

    def blob(self, sha256: str) -> bytes | None:
        """Bytes that match their hash; None where they are gone or damaged."""
        try:
            data = self.bucket.get(_of_blob(sha256), most=_MOST_BLOB)
        except ObjectFault as error:
            if error.reason in (Reason.MISSING, Reason.CHANGED):
                return None
            raise
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    @property
    def costs(self) -> Costs:
        self.check()
        return self._costs

    def publish(
        self, entry: Mapping[str, Any], data: bytes, charge: StoreCharge | None = None
    ) -> None:
        """Put a finished job there: the bytes first, then the entry that relies on them, then what it cost.
        Only then does its claim go, so that whoever gets it next finds the entry, and its money is always
        counted. `charge`: None: nothing is known of it."""
        self.check()
        sha256 = hashlib.sha256(data).hexdigest()
        self.bucket.put(_of_blob(sha256), data, entry.get("media_type", ""), sha256)
        self._entries.put(_of_job(entry["key"]), {**entry, "sha256": sha256})
        if charge:
            self.book(entry, charge)
        self.claims.delete(entry["key"])  # asks once more whether this still is the store

    def book(self, job: Mapping[str, Any], charge: StoreCharge) -> None:
        """Write down what a call for `job` (its label) cost, under the reservation that its claim names."""
        if not charge.reservation:
            claim = self.claims.of(job)
            if claim and claim.attempt == charge.attempt:
                charge = replace(charge, reservation=claim.reservation)
        self._costs.put(charge)

    @property
    def reservations(self) -> Reservations:
        self.check()
        return self._reservations

    def spending(self) -> StoreRecords:
        """What was paid, is claimed and is reserved. A call that is made meanwhile is counted at least once."""
        for _ in range(_LOOKS):
            reserved = self.reservations.latest()
            claims = tuple(self.claims.all())  # first: a call that ends now is in one of the two
            costs = tuple(self.costs.all())
            if next(self.reservations.after(reserved), None) is None:
                break
        return StoreRecords(reserved, claims, costs)

    def results(self) -> Iterator[str]:
        """The path of every finished job's entry, whatever it holds."""
        self.check()
        return (facts.path for facts in self.bucket.list(JOBS))

    def blobs(self) -> Iterator[tuple[str, Facts]]:
        """(sha256 by its name, facts) of every blob."""
        return ((facts.path.rsplit("/", 1)[-1], facts) for facts in self.bucket.list(BLOBS))

    def entries(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Path and content of every finished job's entry; None for one that makes no sense."""
        self.check()
        for facts in self.bucket.list(JOBS):
            entry = self._entries.at(facts.path)
            good = (
                entry is not None
                and is_name(entry.get("sha256"))
                and _of_job(str(entry.get("key"))) == facts.path
            )
            yield facts.path, entry if good else None

    def damaged(self) -> Iterator[tuple[str, bool]]:
        """Every finished job's key, and whether its entry or its bytes are no good. Reads it all."""
        for path, entry in self.entries():
            key = path.rsplit("/", 1)[-1].removesuffix(".json")
            yield key, entry is None or self.blob(entry["sha256"]) is None


def _of_blob(sha256: str) -> str:
    return f"{BLOBS}/{sha256[:2]}/{sha256}"


def _of_job(key: str) -> str:
    return f"{JOBS}/{key[:2]}/{key}.json"


def open_shared(url: str) -> SharedStore | None:
    """The store at `url`, where folders are allowed too; None for no URL. Raises UsageError."""
    return SharedStore(opened(url, files=True, make_folder=False)) if url else None
