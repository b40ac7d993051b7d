"""The `s3` sink: each image an object (S3, Google Cloud, Azure), and `manifest.jsonl` at the prefix.

A put is whole or nothing. What is there is asked once, by listing the prefix; after that a look at an
object that we wrote costs nothing. Each object bears its sha256 as metadata, so that a machine with
an empty disk knows it again by one request and reads none of it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from relightflow.objects.address import ADDRESS
from relightflow.objects.bucket import Bucket, Facts, opened
from relightflow.objects.faults import ObjectFault
from relightflow.plugins.records import SinkContext, SinkRecord
from relightflow.plugins.sink import (
    MANIFEST,
    Artifact,
    FileState,
    FinishedRun,
    SinkFailed,
    WriteReceipt,
)
from relightflow.sinks.base import FILES

ENOUGH = 3
"""Faults in a row after which the store is asked nothing more in this run: each may take a minute."""
MOST_LISTED = 200_000
"""Objects whose names are kept; beyond, each one is asked for by itself."""


RECORD = SinkRecord(
    name="s3",
    summary="One object per result at s3://, gs:// or az://, and a manifest",
    create="relightflow.sinks.s3:S3Sink",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["uri"],
        "properties": {
            "uri": ADDRESS,
            **FILES,
        },
    },
    layout="files",
    converts_format=True,
    remote=True,
    writes=(MANIFEST,),
)


class S3Sink:
    """See the module; `options` are those of `RECORD`."""

    width = 16

    def __init__(self, context: SinkContext) -> None:
        self._bucket: Bucket = opened(context.options["uri"])
        self._lock = threading.Lock()
        self._listed: dict[str, tuple[int, str]] | None = None
        """Path → size and ETag of what is there, as far as we know."""
        self._whole = False
        """Whether the listing came to its end, so that what is not in it is missing."""
        self._faults = 0
        """In a row."""
        self._last = ""

    @property
    def location(self) -> str:
        return str(self._bucket)

    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        with self._asking():
            return self._look(path, known, sha256)

    def _look(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        self._bucket.address.key(path)  # refuses what is no plain path
        there = self._there(path)
        if there is None:
            return FileState.MISSING
        size, etag = there
        if known and known.mark and (known.size, known.mark) == (size, etag):
            return FileState.SAME if known.sha256 == sha256 else FileState.EDITED
        if known and not known.mark:  # somebody wants it read
            found = hashlib.sha256(self._bucket.get(path)).hexdigest()
        else:
            head = self._bucket.head(path)
            if head is None:
                return FileState.MISSING
            found = head.sha256 or hashlib.sha256(self._bucket.get(path)).hexdigest()
        return FileState.SAME if found == sha256 else FileState.EDITED

    def read(self, path: str, most: int) -> bytes | None:
        try:
            return self._bucket.get(path, most=most)
        except ObjectFault:
            return None

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        sha256 = hashlib.sha256(data).hexdigest()
        with self._asking():
            etag = self._bucket.put(path, data, media_type, sha256)
        with self._lock:
            if self._listed is not None:
                self._listed[path] = (len(data), etag)
        return WriteReceipt(sha256, len(data), etag)

    def remove(self, paths: Sequence[str]) -> None:
        with self._asking():
            self._bucket.delete(list(paths))

    def receipt(self, path: str, sha256: str) -> WriteReceipt | None:
        with self._lock:
            found = self._listed.get(path) if self._listed else None
        return WriteReceipt(sha256, *found) if found else None

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        data = run.manifest.read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        with self._asking():
            head = self._bucket.head(MANIFEST)
        if head and not head.sha256:
            raise SinkFailed(
                f"{self.location}{MANIFEST} was not written by relightflow and was not changed. "
                "Move it away, or use another prefix for the sink"
            )
        if head and head.sha256 == sha256 and head.facts.size == len(data):
            return (Artifact(MANIFEST, WriteReceipt(sha256, len(data), head.facts.etag)),)
        return (Artifact(MANIFEST, self.write(MANIFEST, data, "application/x-ndjson")),)

    def close(self) -> None:
        """Nothing is held between calls."""

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Around every request: its faults in the sink's words, and none after too many."""
        if self._faults >= ENOUGH:
            raise SinkFailed(self._last)
        try:
            yield
        except ObjectFault as error:
            self._faults, self._last = self._faults + 1, error.words
            raise SinkFailed(error.words) from None
        self._faults = 0

    def _there(self, path: str) -> tuple[int, str] | None:
        """Size and ETag of what is at `path`."""
        with self._lock:
            if self._listed is None:
                self._listed, self._whole = _listing(self._bucket)
            found = self._listed.get(path)
        if found is None and not self._whole:
            head = self._bucket.head(path)
            return (head.facts.size, head.facts.etag) if head else None
        return found


def _listing(bucket: Bucket) -> tuple[dict[str, tuple[int, str]], bool]:
    """What is there, and whether that is all."""
    listed: dict[str, tuple[int, str]] = {}
    facts: Facts
    for facts in bucket.list():
        if len(listed) == MOST_LISTED:
            return listed, False
        listed[facts.path] = (facts.size, facts.etag)
    return listed, True
