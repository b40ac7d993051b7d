"""Accepts delivered files that somebody changed, in the place of what was delivered.

An accepted file is as good as a result: runs leave it alone and end green, `verify` finds it in place,
and the manifest describes it. That holds for these very bytes; a further change is told again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from relightflow.deliver.input_metadata import InputMetadata
from relightflow.deliver.target import KEPT, SinkTarget, is_edited
from relightflow.errors import Exit, UsageError
from relightflow.images import BadImage, probe
from relightflow.images.metadata import Metadata
from relightflow.ledger.reader import Reader, open_reader
from relightflow.ledger.rows import Delivered
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.plan import Plan
from relightflow.plan.outputs import outputs
from relightflow.plugins.sink import MANIFEST, FileState, HasFiles, HasReceipt, WriteReceipt
from relightflow.run.opening import open_state
from relightflow.store import blobs
from relightflow.store.state_dir import StateDir

_CHUNK = 512
_LARGEST = 256 << 20


@dataclass(frozen=True, slots=True)
class Keeping:
    kept: tuple[str, ...] = ()
    """Files that were accepted now, by location."""
    edited: tuple[str, ...] = ()
    """Files that are edited and not accepted."""
    undone: tuple[str, ...] = ()
    """Files that are no longer accepted."""

    @property
    def exit(self) -> Exit:
        return Exit.JOBS_FAILED if self.edited else Exit.OK


@dataclass(frozen=True, slots=True)
class _DeliveredFile:
    target: SinkTarget
    path: str
    basis: str
    """Of what a run would deliver there."""
    image: bool
    accepted: bool

    @property
    def location(self) -> str:
        return f"{self.target.sink.location.rstrip('/')}/{self.path}"


@dataclass(frozen=True, slots=True)
class _Material:
    """What tells whether a file is what would be delivered."""

    blobs: Path
    inputs: InputMetadata

    def read(self, result: Result) -> bytes:
        return blobs.read(self.blobs, result.sha256)

    def metadata(self, output: Output, everything: bool) -> Metadata:
        return self.inputs.of(output.image, everything, output.job.backend)


def keep(
    plan: Plan,
    targets: Sequence[SinkTarget],
    state_dir: StateDir,
    inputs: InputMetadata,
    files: Sequence[str] = (),
    undo: bool = False,
) -> Keeping:
    """Accept the edited ones among `files` (paths, URLs, or folders of such), or take that back.

    Without `files` nothing is accepted, and what could be is told. Blocks. Raises UsageError for a
    file that was not edited or is no image, EarlyStop where a run holds the lock, StorageError.
    """
    if not state_dir.ledger.exists():
        raise UsageError("no run has delivered anything with this state, so no file is edited")
    with open_state(state_dir, f"relightflow keep, process {os.getpid()},") as state:
        with open_reader(state_dir.ledger) as reader:
            found = list(_found(plan, targets, reader, _Material(state_dir.blobs, inputs)))
        chosen = _chosen(found, files, undo)
        if undo:
            for item in chosen:
                state.ledger.forget_now(item.target.id, [item.path])
        else:
            rows = [_accepted(item) for item in chosen]
            if rows:
                state.ledger.delivered_now(rows)
    names = tuple(item.location for item in chosen)
    left = tuple(item.location for item in found if not item.accepted and item not in chosen)
    return Keeping(edited=left, undone=names) if undo else Keeping(names, left)


def _found(
    plan: Plan, targets: Sequence[SinkTarget], reader: Reader, material: _Material
) -> Iterator[_DeliveredFile]:
    """Every file that is not as it was delivered, accepted or not."""
    for target in targets:
        if target.layout == "files":
            yield from _images(plan, target, reader, material)
        for row in reader.gathered(target.id):
            if row.path == MANIFEST and target.layout == "files":
                continue  # every run writes it anew
            receipt = WriteReceipt(row.sha256, row.size, row.mark)
            file_state = target.sink.check(row.path, receipt, row.sha256)
            accepted = row.basis.startswith(KEPT) and file_state is FileState.SAME
            if accepted or file_state is FileState.EDITED:
                basis = row.basis.removeprefix(KEPT)
                yield _DeliveredFile(target, row.path, basis, image=False, accepted=accepted)


def _images(
    plan: Plan, target: SinkTarget, reader: Reader, material: _Material
) -> Iterator[_DeliveredFile]:
    every, seen = outputs(plan.described), set[str]()
    while chunk := list(islice(every, _CHUNK)):
        states = reader.job_states([output.job.key for output in chunk])
        made = [(o, s.result) for o in chunk if (s := states.get(o.job.key)) and s.result]
        paths = [target.path(output, result) for output, result in made]
        known = reader.deliveries(target.id, paths)
        for path, (output, result) in zip(paths, made, strict=True):
            row = known.get(path)
            basis = target.basis(output, result)
            accepted = row is not None and row.basis == KEPT + basis
            edited = is_edited(target, path, output, result, row, material)
            if path not in seen and (edited or accepted):
                seen.add(path)
                yield _DeliveredFile(
                    target, path, basis, image=True, accepted=accepted and not edited
                )


def _chosen(
    found: Sequence[_DeliveredFile], files: Sequence[str], undo: bool
) -> list[_DeliveredFile]:
    """Raises UsageError for one of `files` that fits nothing."""
    chosen: dict[str, _DeliveredFile] = {}
    for file in files:
        place = file if "://" in file else os.path.normpath(Path(file).absolute())
        fitting = [
            item
            for item in found
            if item.accepted is undo
            and (item.location == place or item.location.startswith(place.rstrip("/") + "/"))
        ]
        if not fitting:
            word = "not accepted before" if undo else "not edited, or not a file of this recipe"
            raise UsageError(f"{file} is {word}; nothing was changed")
        chosen |= {item.location: item for item in fitting}
    return list(chosen.values())


def _accepted(item: _DeliveredFile) -> Delivered:
    """What the ledger remembers of an accepted file. Raises UsageError."""
    sink = item.target.sink
    data = sink.read(item.path, _LARGEST) if isinstance(sink, HasFiles) else None
    if data is None:
        raise UsageError(f"{item.location} cannot be read; nothing was changed")
    if item.image:
        try:
            probe(data)
        except BadImage as error:
            raise UsageError(f"{item.location}: {error.reason}; nothing was changed") from error
    sha256 = hashlib.sha256(data).hexdigest()
    held = sink.receipt(item.path, sha256) if isinstance(sink, HasReceipt) else None
    held = held or WriteReceipt(sha256, len(data), "")
    return Delivered(
        item.target.id, item.path, KEPT + item.basis, held.sha256, held.size, held.mark
    )
