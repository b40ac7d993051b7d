"""The last pass of a run: every output in plan order, at every sink, and the manifest.

It repairs as it goes: what a crash, a failing sink or a deleting hand left undone is delivered from
the store. Where nothing changed it costs one look at each file and writes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from relightflow import crash
from relightflow.deliver import records
from relightflow.deliver.journal import MANIFEST
from relightflow.deliver.place import FAULTS, Handed, Place, hand_over_all
from relightflow.deliver.stream import Desk
from relightflow.errors import StorageError
from relightflow.ledger.rows import Delivered, Standing
from relightflow.model.attempt import State
from relightflow.model.image import Image
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.plan import Plan
from relightflow.model.values import canonical_json, plain
from relightflow.plan.outputs import outputs
from relightflow.plugins.sink import Finished, Presence, Stamp

CHUNK = 512


@dataclass(frozen=True, slots=True)
class Pass:
    plan: Plan
    desk: Desk
    folder: Path
    """The run's own, where its manifests are written."""
    read_image: Callable[[Image], bytes]
    on_standing: Callable[[Output, Standing | None], None]
    """Told how every output stands, in plan order."""


@dataclass(frozen=True, slots=True)
class Completion:
    changed: bool
    """Whether a sink was given something that it did not have."""
    counts: Counter[str]
    """Outputs by status (`records.STATUSES`)."""


def complete(work: Pass) -> Completion:
    """Deliver what is missing and write the manifest everywhere. Blocks.

    Needs the ledger to itself: all outcomes are in. Raises StorageError where the run's own folder
    cannot be written.
    """
    before = work.desk.tally.written
    work.desk.tally.begin_again()
    try:
        manifests, counts = _write_manifests(work)
    except OSError as error:
        raise StorageError(
            f"the manifest could not be written to {work.folder} ({error.strerror}); every picture "
            "that was paid for is in the store. Make room, then run again"
        ) from error
    crash.reach("before-manifest")
    changed = False
    for place, manifest in zip(work.desk.places, manifests[1:], strict=True):
        try:
            changed |= _finish(work, place, manifest)
        except FAULTS as error:
            work.desk.tally.fail(place.sink.place, MANIFEST, error)
    crash.reach("after-manifest")
    for extra in manifests[1:]:
        if extra != manifests[0]:
            extra.unlink(missing_ok=True)
    return Completion(changed or work.desk.tally.written > before, counts)


def standing_outputs(plan: Plan, desk: Desk) -> Iterator[list[tuple[Output, Standing | None]]]:
    """Every output and how its job stands, in plan order, a chunk at a time."""
    every = outputs(plan)
    while chunk := list(islice(every, CHUNK)):
        standings = desk.reader.standings([output.job.key for output in chunk])
        yield [(output, standings.get(output.job.key)) for output in chunk]


def _write_manifests(work: Pass) -> tuple[list[Path], Counter[str]]:
    """The run's manifest and one for every sink; those that would be equal are one file."""
    places = work.desk.places
    named = [place for place in places if place.named]
    files = {place.id: work.folder / f"manifest-{n}.jsonl" for n, place in enumerate(named)}
    main = files[named[0].id] if named else work.folder / "manifest-0.jsonl"
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        bodies = {
            path: stack.enter_context(path.with_suffix(".body").open("w", encoding="ascii"))
            for path in {main, *files.values()}
        }
        for chunk in standing_outputs(work.plan, work.desk):
            paths = {place.id: _deliver_chunk(work.desk, place, chunk) for place in named}
            _note_done(work.desk, chunk, paths)
            for output, standing in chunk:
                counts[records.status_of(standing)] += 1
                work.on_standing(output, standing)
            for place_id in files or {"": main}:
                lines = _lines(chunk, paths.get(place_id))
                bodies[files.get(place_id, main)].write(lines)
        for body in bodies.values():
            body.writelines(_line(records.rejected(item)) for item in work.plan.rejected)
    first_line = _line(records.head(work.plan, counts))
    for path in bodies:
        _put_together(first_line, path)
    final = work.folder / MANIFEST
    main.rename(final)
    at = {
        place.id: final if files.get(place.id, main) == main else files[place.id]
        for place in places
    }
    return [final, *(at[place.id] for place in places)], counts


def _deliver_chunk(
    desk: Desk, place: Place, chunk: list[tuple[Output, Standing | None]]
) -> list[Handed | None]:
    """Make sure that `place` has every picture of the chunk."""
    pictures = [(output, s.result) for output, s in chunk if s and s.result]
    wanted = [(place.path(output, result), result) for output, result in pictures]
    known = desk.reader.deliveries(place.id, [path for path, _ in wanted])
    answers = zip(
        wanted, hand_over_all(place, wanted, known, desk.read, desk.overwrite), strict=True
    )
    handed: list[Handed | None] = []
    for _, standing in chunk:
        if standing is None or standing.result is None:
            handed.append(None)
            continue
        (path, _), found = next(answers)
        if isinstance(found, Exception):
            desk.tally.fail(place.sink.place, path, found)
            found = Handed(path, failed=True)
        else:
            desk.tally.add(found)
        handed.append(found)
    return handed


def _note_done(
    desk: Desk,
    chunk: list[tuple[Output, Standing | None]],
    handed: dict[str, list[Handed | None]],
) -> None:
    """Tell the ledger what the sinks hold now and which jobs all of them have had."""
    rows = [item.row for items in handed.values() for item in items if item and item.row]
    done = [
        standing.attempt_id
        for n, (_, standing) in enumerate(chunk)
        if standing
        and standing.state is State.STORED
        and not any(item.failed for items in handed.values() if (item := items[n]))
    ]
    if rows or done:
        desk.ledger.delivered_now(rows, done)


def _lines(chunk: list[tuple[Output, Standing | None]], handed: list[Handed | None] | None) -> str:
    return "".join(
        _line(
            records.record(
                output, standing, item.path if item else None, item.copy if item else None
            )
        )
        for (output, standing), item in zip(chunk, handed or [None] * len(chunk), strict=True)
    )


_RECORD = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=plain)


def _line(facts: dict[str, Any]) -> str:
    return _RECORD.encode(facts) + "\n"


def _put_together(first_line: str, path: Path) -> None:
    """The head can only be counted once the body is written."""
    body = path.with_suffix(".body")
    with path.open("w", encoding="ascii") as whole, body.open(encoding="ascii") as rest:
        whole.write(first_line)
        while block := rest.read(1 << 20):
            whole.write(block)
    body.unlink()


def _finish(work: Pass, place: Place, manifest: Path) -> bool:
    """Let a sink gather, unless it did so from these very results and nobody touched its files."""
    desk = work.desk
    basis = "run:" + _digest(manifest, canonical_json(place.options))
    held = desk.reader.gathered(place.id)
    looks = {row.path: _look(place, row) for row in held}
    edited = [path for path, presence in looks.items() if presence is Presence.EDITED]
    if edited and not place.named and not desk.overwrite:
        for path in edited:
            desk.tally.add(Handed(path, edited=True))
        return False
    present = [row for row in held if row.basis == basis]  # others belong to pictures of the past
    if present and all(looks[row.path] is Presence.SAME for row in present):
        return False
    ours = tuple(path for path, presence in looks.items() if presence is Presence.SAME)
    kept = () if desk.overwrite else tuple(edited)
    artifacts = place.sink.finish(_finished(work, place, manifest, ours, kept))
    rows = [
        Delivered(place.id, item.path, basis, item.stamp.sha256, item.stamp.size, item.stamp.mark)
        for item in artifacts
    ]
    made = {item.path for item in artifacts}
    rows += _still_there(desk, place, basis, [row for row in held if row.path not in made])
    desk.ledger.delivered_now(rows)
    return True


def _still_there(desk: Desk, place: Place, basis: str, left: list[Delivered]) -> list[Delivered]:
    """What a sink made in an earlier run and not in this one: remembered, unless it is gone."""
    looks = [(row, _look(place, row)) for row in left]
    for row, presence in looks:
        if presence is Presence.EDITED:
            desk.tally.add(Handed(row.path, edited=True))
    gone = [row.path for row, presence in looks if presence is Presence.MISSING]
    if gone:
        desk.ledger.forget_now(place.id, gone)
    return [row._replace(basis=basis) for row, seen in looks if seen is not Presence.MISSING]


def _look(place: Place, row: Delivered) -> Presence:
    return place.sink.look(row.path, Stamp(row.sha256, row.size, row.mark), row.sha256)


def _digest(manifest: Path, options: str) -> str:
    with manifest.open("rb") as lines:
        digest = hashlib.file_digest(lines, "sha256")
    digest.update(options.encode())
    return digest.hexdigest()


def _finished(
    work: Pass, place: Place, manifest: Path, held: tuple[str, ...], edited: tuple[str, ...]
) -> Finished:
    plan, desk = work.plan, work.desk

    def pictures() -> Iterator[tuple[Output, Result | None]]:
        for chunk in standing_outputs(plan, desk):
            for output, standing in chunk:
                yield output, standing.result if standing else None

    def lines() -> Iterator[dict[str, Any]]:
        with manifest.open("rb") as stored:
            yield from map(json.loads, stored)

    return Finished(
        recipe=plan.recipe,
        axes=plan.axes,
        outputs=pictures,
        read=desk.read,
        original=lambda output: work.read_image(output.image),
        records=lines,
        manifest=manifest,
        path=place.path,
        held=held,
        edited=edited,
    )
