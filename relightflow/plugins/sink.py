"""The protocol of a sink: where finished images are written.

Methods block and are called in worker threads, `write` and `check` several at a time, also for
one path: write under a new name of its own and rename. A sink only ever sees bytes that are already safe in the store: whatever it does, nothing is bought again. It
raises `SinkFailed` (or OSError) to say that it could not; the next run tries again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.output_format import extension
from relightflow.model.recipe import Recipe

MANIFEST = "manifest.jsonl"
"""Its name beside the images, and in an archive."""
MOST_MANIFEST = 256 << 20
"""Bytes of one that is read back."""
_MOST_LINE = 1 << 20
_FORMAT = 1


class SinkFailed(Exception):
    """The sink could not write; the message says what and what to do."""


class FileState(StrEnum):
    MISSING = "missing"
    """Nothing is there."""
    SAME = "same"
    """What should be there is there."""
    EDITED = "edited"
    """Something else is there: somebody's work, kept unless the operator says `--overwrite`."""


@dataclass(frozen=True, slots=True)
class WriteReceipt:
    """What was written, and how to see cheaply that it is still that."""

    sha256: str
    """Of the bytes written."""
    size: int
    """Bytes."""
    mark: str
    """The sink's own mark of an untouched file: modification time and inode, an ETag."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that `finalize` wrote."""

    path: str
    """Relative to the sink's location, with `/`."""
    receipt: WriteReceipt
    """What was written."""


def _own_path(output: Output, result: Result) -> str:
    return f"{output.job.id}.{extension(result.media_type)}"


def _unchanged(output: Output, data: bytes, mode: str) -> bytes:
    del output, mode
    return data


class Shrink(Protocol):
    """Has a worker make a small image of a result. Blocks; may be called by several threads."""

    def __call__(
        self, sha256: str, box: tuple[int, int], media_type: str, quality: int = 92
    ) -> bytes | None:
        """The result `sha256`, scaled down to fit the box (width, height), as a file: the same bytes as
        `images.encode` makes of `images.thumbnail`. None: no worker made it, so it is to be made here."""


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A whole run, for sinks that gather. Iterate as often as needed; nothing is held in memory."""

    recipe: Recipe
    """The recipe that ran."""
    axes: tuple[str, ...]
    """Names of the cell's parameters, the recipe's own order; the first is outermost."""
    outputs: Callable[[], Iterator[tuple[Output, Result | None]]]
    """In plan order; None where the job has no image (yet)."""
    read: Callable[[Result], bytes]
    """A result's bytes, from the store, checked against their hash."""
    original: Callable[[Output], bytes]
    """The input image's bytes. Raises `StaleImage`."""
    records: Callable[[], Iterator[dict[str, Any]]]
    """The manifest's records, its first line included. For a sink that gathers, `path` and
    `delivered` are those of the recipe's first sink of single files."""
    manifest: Path
    """The finished manifest.jsonl of this sink."""
    path: Callable[[Output, Result], str] = _own_path
    """Where an output goes, by the sink's option `name`; safe, and of one job only."""
    held: tuple[str, ...] = ()
    """Paths of artifacts from earlier runs that nobody changed since. What `finalize` does not make
    any more it may take away."""
    overwrite: bool = False
    """Whether the operator says `--overwrite`. Otherwise a sink leaves files alone that it did not
    write itself."""
    edited: tuple[str, ...] = ()
    """Paths of artifacts that somebody changed, to be left alone; those of a sink that gathers hold
    it back altogether. Empty where the operator says `--overwrite`."""
    with_metadata: Callable[[Output, bytes, str], bytes] = _unchanged
    """(output, its image's bytes, the sink's option `metadata`) → the bytes with what the input image says
    of itself, as far as they say nothing. Raises `SinkFailed`."""
    files: str = ""
    """The location that `path` in `records` counts from; empty where no sink holds single files."""
    blobs: Path | None = None
    """The folder of the results' bytes, to link to; None: unknown. Read them with `read`."""
    cache: Path | None = None
    """A folder for what can be made again, and may be forgotten; None: keep nothing."""
    shrink: Shrink | None = None
    """Has workers make small images of results; None: there are no workers."""


class Sink(Protocol):
    """A sink may also have an attribute `width`: how many images it wants to be handed at a time.
    Without it, one; a sink that mostly waits for a network says sixteen or so."""

    @property
    def location(self) -> str:
        """Where it writes, for people and as its identity: an absolute path, a URL without secrets."""

    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        """Whether `path` holds what it should (`sha256`). `known` is the receipt of the last write:
        where its mark still holds, no byte need be read."""

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        """Put `data` at `path` (relative, `/`), whole or not at all. The engine hands over sanitised paths;
        one that leads out of the sink's place raises `RefusedError`."""

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        """All outcomes are in: write the manifest, sheets, shards. Same input, same bytes."""

    def close(self) -> None:
        """Called once at the end."""


@runtime_checkable
class HasReceipt(Protocol):
    """A sink that knows the receipt of what it holds, so that equal bytes need not be written again
    where the ledger is new."""

    def receipt(self, path: str, sha256: str) -> WriteReceipt | None:
        """The receipt of what is at `path`, after `check` called it the same; None: not known."""


@runtime_checkable
class HasRemove(Protocol):
    """A sink that can take away single images that it wrote and nobody wants any more."""

    def remove(self, paths: Sequence[str]) -> None:
        """Take the files at `paths` away, each found to be as it was written. What is gone already is no
        fault."""


@runtime_checkable
class HasFiles(Protocol):
    """A sink that can give back what it holds, so that a machine without the state finds the manifest
    and the images of an earlier one."""

    def read(self, path: str, most: int) -> bytes | None:
        """The bytes at `path`; None where there is nothing, or more than `most` bytes."""


@runtime_checkable
class HasRecords(Protocol):
    """A sink that says itself what it holds, because that is not a file `manifest.jsonl` which
    `HasFiles.read` gives. Jobs that it calls done and this state does not know are not bought."""

    def records(self) -> Iterator[Mapping[str, Any]]:
        """The manifest's records of outputs, or parts of them: `status`, and `key` or `job` (its first
        16 digits), perhaps `sha256`, `cost`, `request_id`, and `path`, at which `HasFiles.read` gives
        the very result. Nothing where there is nothing. May be somebody else's work: it is only
        believed where it holds a purchase back."""


def manifest_records(data: bytes | None) -> Iterator[dict[str, Any]]:
    """The outputs in the bytes of a `manifest.jsonl`, read strictly and within bounds; whatever is no
    record of format 1 is passed over, and so is a manifest of a rehearsal, of which nothing was bought.
    None: there is no manifest."""
    lines = (data or b"").split(b"\n")
    head = _record(lines[0]) or {}
    if head.get("format") != _FORMAT or head.get("rehearsed"):
        return
    for record in map(_record, lines[1:]):
        if record and record.get("record") == "output":
            yield record


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line) if len(line) <= _MOST_LINE else None
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def width_of(sink: Sink) -> int:
    """How many images the sink wants to be handed at a time: its attribute `width`, else one.

    A sink that mostly waits for a network says sixteen or so; a disk gains nothing by it.
    """
    return int(getattr(sink, "width", 1))
