"""A store that machines share: finished jobs and their bytes, and calls that are in flight.

    blobs/ab/<sha256>          a result's bytes
    jobs/ab/<job key>.json     what a finished job came to, written after its blob
    inflight/<job key>.json    an accepted call, until its result is published

Nothing here is a lock: two machines may write the same entry, and what they write is equally true.
Nothing is believed either: an entry counts only if it is about the very job, and its bytes match their
hash. Methods block, may be called from several threads, and raise ObjectFault.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from relightflow.core.redact import known
from relightflow.model.values import canonical_json
from relightflow.objects.bucket import Bucket, Facts, opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.blobs import is_name
from relightflow.store.index_entry import decoded

FORMAT = 1
BLOBS, JOBS, INFLIGHT = "blobs", "jobs", "inflight"
_ID = re.compile(r"[\x21-\x7e]{1,200}")
_MOST_ENTRY = 1 << 20
_MOST_BLOB = 64 << 20
_JOB = ("key", "backend", "model", "image_sha256", "parameters", "repeat")


class SharedStore:
    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket

    def __str__(self) -> str:
        return str(self.bucket)

    def finished(self, job: Mapping[str, Any]) -> dict[str, Any] | None:
        """The entry of a finished job, if it is about this very `job` (its label); else None."""
        entry = self._entry(_of_job(job["key"]), job)
        return entry if entry and is_name(entry.get("sha256")) else None

    def blob(self, sha256: str) -> bytes | None:
        """Bytes that match their hash; None where they are gone or damaged."""
        try:
            data = self.bucket.get(_of_blob(sha256), most=_MOST_BLOB)
        except ObjectFault as error:
            if error.reason in (Reason.MISSING, Reason.CHANGED):
                return None
            raise
        return data if hashlib.sha256(data).hexdigest() == sha256 else None

    def accepted(self, job: Mapping[str, Any]) -> dict[str, Any] | None:
        """A call for this very `job` that another machine has in flight."""
        entry = self._entry(_in_flight(job["key"]), job)
        return entry if entry and _is_id(entry.get("request_id")) else None

    def publish(self, entry: Mapping[str, Any], data: bytes) -> None:
        """Put a finished job there: the bytes first, then the entry that relies on them."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.bucket.put(_of_blob(sha256), data, entry.get("media_type", ""), sha256)
        self._put(_of_job(entry["key"]), {**entry, "sha256": sha256})
        self.retract(entry["key"])

    def announce(self, entry: Mapping[str, Any]) -> None:
        """Let other machines collect a call if this one is lost."""
        self._put(_in_flight(entry["key"]), entry)

    def retract(self, key: str) -> None:
        """The call is no longer in flight."""
        self.bucket.delete([_in_flight(key)])

    def blobs(self) -> Iterator[tuple[str, Facts]]:
        """(sha256 by its name, facts) of every blob."""
        return ((facts.path.rsplit("/", 1)[-1], facts) for facts in self.bucket.list(BLOBS))

    def entries(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Path and content of every finished job's entry; None for one that makes no sense."""
        for facts in self.bucket.list(JOBS):
            entry = self._read(facts.path)
            good = (
                entry is not None
                and _is_ours(entry)
                and is_name(entry.get("sha256"))
                and _of_job(str(entry.get("key"))) == facts.path
            )
            yield facts.path, entry if good else None

    def damaged(self) -> Iterator[tuple[str, bool]]:
        """Every finished job's key, and whether its entry or its bytes are no good. Reads it all."""
        for path, entry in self.entries():
            key = path.rsplit("/", 1)[-1].removesuffix(".json")
            yield key, entry is None or self.blob(entry["sha256"]) is None

    def _entry(self, path: str, job: Mapping[str, Any]) -> dict[str, Any] | None:
        entry = self._read(path)
        if entry is None or not _is_ours(entry):
            return None
        same = canonical_json({name: entry.get(name) for name in _JOB})
        return entry if same == canonical_json({name: job[name] for name in _JOB}) else None

    def _read(self, path: str) -> dict[str, Any] | None:
        try:
            data = self.bucket.get(path, most=_MOST_ENTRY)
        except ObjectFault as error:
            if error.reason in (Reason.MISSING, Reason.CHANGED):
                return None
            raise
        return decoded(data)

    def _put(self, path: str, entry: Mapping[str, Any]) -> None:
        text = known(canonical_json({**entry, "format": FORMAT}))
        self.bucket.put(path, text.encode("ascii"), "application/json")


def _is_ours(entry: Mapping[str, Any]) -> bool:
    version = entry.get("format")
    return type(version) is int and version == FORMAT


def _is_id(request_id: object) -> bool:
    """Whether a provider may have given it: it goes into addresses and messages."""
    return isinstance(request_id, str) and _ID.fullmatch(request_id) is not None


def _of_blob(sha256: str) -> str:
    return f"{BLOBS}/{sha256[:2]}/{sha256}"


def _of_job(key: str) -> str:
    return f"{JOBS}/{key[:2]}/{key}.json"


def _in_flight(key: str) -> str:
    return f"{INFLIGHT}/{key}.json"


def open_shared(url: str) -> SharedStore | None:
    """The store at `url`, where folders are allowed too; None for no URL. Raises UsageError."""
    return SharedStore(opened(url, files=True)) if url else None
