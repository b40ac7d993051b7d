"""The last pass of a run: every output in plan order, at every sink, and the manifest.

It repairs as it goes: what a crash, a failing sink or a deleting hand left undone is delivered from
the store. Where nothing changed it costs one look at each file and writes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import Any

from relightflow.core import failpoints
from relightflow.deliver import manifest
from relightflow.deliver.remote import deliver_all, shrinking
from relightflow.deliver.run_folder import MANIFEST
from relightflow.deliver.stream import DeliveryContext
from relightflow.deliver.target import FAULTS, KEPT, DeliveryResult, SinkTarget
from relightflow.errors import StorageError
from relightflow.images.metadata import added
from relightflow.ledger.rows import Delivered, JobState
from relightflow.model.attempt import State
from relightflow.model.check import CheckResult
from relightflow.model.image import Image
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.plan import Plan
from relightflow.model.values import canonical_json
from relightflow.plan.outputs import outputs
from relightflow.plugins.sink import FileState, FinishedRun, WriteReceipt

CHUNK = 512


@dataclass(frozen=True, slots=True)
class FinalPass:
    plan: Plan
    delivery: DeliveryContext
    folder: Path
    """The run's own, where its manifests are written."""
    read_image: Callable[[Image], bytes]
    on_job_state: Callable[[Output, JobState | None], None]
    """Told how every output stands, in plan order."""
    check: (
        Callable[[Iterator[tuple[Output, Result | None]]], Iterator[Sequence[CheckResult]]] | None
    ) = None
    """Gives the verdicts on every result, in the same order; None: nothing is checked."""
    on_checks: Callable[[Output, Sequence[CheckResult]], None] = lambda output, found: None  # noqa: ARG005
    """Told the verdicts on every output, in plan order."""


def finalize(work: FinalPass) -> Counter[str]:
    """Deliver what is missing and write the manifest everywhere; gives the outputs by status
    (`manifest.STATUSES`). Blocks.

    Needs the ledger to itself: all outcomes are in. Raises StorageError where the run's own folder
    cannot be written.
    """
    work.delivery.counts.begin_again()
    try:
        manifests, counts = _write_manifests(work)
    except OSError as error:
        raise StorageError(
            f"the manifest could not be written to {work.folder} ({error.strerror}); every result "
            "that was paid for is in the store. Free some space, then run again"
        ) from error
    failpoints.reach("before-manifest")
    for target, manifest_path in zip(work.delivery.targets, manifests[1:], strict=True):
        try:
            _finalize_sink(work, target, manifest_path)
        except FAULTS as error:
            work.delivery.counts.fail(target.sink.location, MANIFEST, error)
    failpoints.reach("after-manifest")
    for extra in manifests[1:]:
        if extra != manifests[0]:
            extra.unlink(missing_ok=True)
    return counts


def _outputs_with_state(
    plan: Plan, delivery: DeliveryContext
) -> Iterator[list[tuple[Output, JobState | None]]]:
    """Every output and how its job stands, in plan order, a chunk at a time."""
    every = outputs(plan)
    while chunk := list(islice(every, CHUNK)):
        job_states = delivery.reader.job_states([output.job.key for output in chunk])
        yield [(output, job_states.get(output.job.key)) for output in chunk]


def _write_manifests(work: FinalPass) -> tuple[list[Path], Counter[str]]:
    """The run's manifest and one for every sink; those that would be equal are one file."""
    targets = work.delivery.targets
    named = [target for target in targets if target.layout == "files"]
    files = {target.id: work.folder / f"manifest-{n}.jsonl" for n, target in enumerate(named)}
    main = files[named[0].id] if named else work.folder / "manifest-0.jsonl"
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        bodies = {
            path: stack.enter_context(path.with_suffix(".body").open("w", encoding="ascii"))
            for path in {main, *files.values()}
        }
        verdicts = _verdicts(work)
        lines_of = manifest.OutputLines()
        for chunk in _outputs_with_state(work.plan, work.delivery):
            checks = list(islice(verdicts, len(chunk)))
            paths = {target.id: _deliver_chunk(work.delivery, target, chunk) for target in named}
            _note_done(work.delivery, chunk, paths)
            for (output, job_state), found in zip(chunk, checks, strict=True):
                counts[manifest.status_of(job_state)] += 1
                work.on_job_state(output, job_state)
                work.on_checks(output, found)
            for place_id in files or {"": main}:
                lines = _lines(lines_of, chunk, checks, paths.get(place_id))
                bodies[files.get(place_id, main)].write(lines)
        for body in bodies.values():
            body.writelines(manifest.line(manifest.rejected(item)) for item in work.plan.rejected)
    first_line = manifest.line(manifest.head(work.plan, counts))
    for path in bodies:
        _assemble(first_line, path)
    final = work.folder / MANIFEST
    main.rename(final)
    at = {
        target.id: final if files.get(target.id, main) == main else files[target.id]
        for target in targets
    }
    return [final, *(at[target.id] for target in targets)], counts


def _deliver_chunk(
    delivery: DeliveryContext, target: SinkTarget, chunk: list[tuple[Output, JobState | None]]
) -> list[DeliveryResult | None]:
    """Make sure that `place` has every image of the chunk."""
    images = [(output, s.result) for output, s in chunk if s and s.result]
    wanted = [(target.path(output, result), output, result) for output, result in images]
    known = delivery.reader.deliveries(target.id, [path for path, _, _ in wanted])
    made = deliver_all(target, wanted, known, delivery, delivery.overwrite, delivery.workers)
    answers = zip(wanted, made, strict=True)
    delivered: list[DeliveryResult | None] = []
    for _, job_state in chunk:
        if job_state is None or job_state.result is None:
            delivered.append(None)
            continue
        (path, _, _), found = next(answers)
        if isinstance(found, Exception):
            delivery.counts.fail(target.sink.location, path, found)
            found = DeliveryResult(path, failed=True)
        else:
            delivery.counts.add(found)
        delivered.append(found)
    return delivered


def _note_done(
    delivery: DeliveryContext,
    chunk: list[tuple[Output, JobState | None]],
    delivered: dict[str, list[DeliveryResult | None]],
) -> None:
    """Tell the ledger what the sinks hold now and which jobs all of them have had."""
    rows = [item.row for items in delivered.values() for item in items if item and item.row]
    done = [
        job_state.attempt_id
        for n, (_, job_state) in enumerate(chunk)
        if job_state
        and job_state.state is State.STORED
        and not any(item.failed for items in delivered.values() if (item := items[n]))
    ]
    if rows or done:
        delivery.ledger.delivered_now(rows, done)


def _verdicts(work: FinalPass) -> Iterator[Sequence[CheckResult]]:
    """The verdicts on every output, in plan order: a second walk, which reads ahead by an image."""
    if work.check is None:
        return repeat(())
    every = _outputs_with_state(work.plan, work.delivery)
    return work.check(
        (output, state.result if state else None) for chunk in every for output, state in chunk
    )


def _lines(
    lines_of: manifest.OutputLines,
    chunk: list[tuple[Output, JobState | None]],
    checks: Sequence[Sequence[CheckResult]],
    delivered: list[DeliveryResult | None] | None,
) -> str:
    placed = delivered or [None] * len(chunk)
    return "".join(
        lines_of.line(
            output, job_state, item.path if item else None, item.copy if item else None, found
        )
        for (output, job_state), found, item in zip(chunk, checks, placed, strict=True)
    )


def _assemble(first_line: str, path: Path) -> None:
    """The head can only be counted once the body is written."""
    body = path.with_suffix(".body")
    with path.open("w", encoding="ascii") as whole, body.open(encoding="ascii") as rest:
        whole.write(first_line)
        while block := rest.read(1 << 20):
            whole.write(block)
    body.unlink()


def _finalize_sink(work: FinalPass, target: SinkTarget, manifest_path: Path) -> None:
    """Let a sink gather, unless it did so from these very results and nobody touched its files."""
    delivery = work.delivery
    basis = "run:" + _digest(manifest_path, canonical_json(target.options))
    held = delivery.reader.gathered(target.id)
    looks = {row.path: _check(target, row) for row in held}
    same = [row for row in held if looks[row.path] is FileState.SAME]
    accepted = {row.path for row in same if row.basis.startswith(KEPT)}
    edited = [path for path, file_state in looks.items() if file_state is FileState.EDITED]
    if target.layout != "files" and (accepted or (edited and not delivery.overwrite)):
        for path in edited:
            delivery.counts.add(DeliveryResult(path, edited=True))
        return
    present = [row for row in held if row.basis == basis]  # others belong to images of the past
    if present and all(looks[row.path] is FileState.SAME for row in present):
        return
    ours = tuple(row.path for row in same if row.path not in accepted)
    left_alone = (*accepted, *(() if delivery.overwrite else edited))
    artifacts = target.sink.finalize(_finished(work, target, manifest_path, ours, left_alone))
    rows = [
        Delivered(
            target.id, item.path, basis, item.receipt.sha256, item.receipt.size, item.receipt.mark
        )
        for item in artifacts
    ]
    made = {item.path for item in artifacts} | accepted
    rows += _unchanged(delivery, target, basis, [row for row in held if row.path not in made])
    delivery.ledger.delivered_now(rows)


def _unchanged(
    delivery: DeliveryContext, target: SinkTarget, basis: str, left: list[Delivered]
) -> list[Delivered]:
    """What a sink made in an earlier run and not in this one: remembered, unless it is gone."""
    looks = [(row, _check(target, row)) for row in left]
    for row, file_state in looks:
        if file_state is FileState.EDITED:
            delivery.counts.add(DeliveryResult(row.path, edited=True))
    gone = [row.path for row, file_state in looks if file_state is FileState.MISSING]
    if gone:
        delivery.ledger.forget_now(target.id, gone)
    return [row._replace(basis=basis) for row, seen in looks if seen is not FileState.MISSING]


def _check(target: SinkTarget, row: Delivered) -> FileState:
    return target.sink.check(row.path, WriteReceipt(row.sha256, row.size, row.mark), row.sha256)


def _digest(manifest_path: Path, options: str) -> str:
    with manifest_path.open("rb") as lines:
        digest = hashlib.file_digest(lines, "sha256")
    digest.update(options.encode())
    return digest.hexdigest()


def _finished(
    work: FinalPass,
    target: SinkTarget,
    manifest_path: Path,
    held: tuple[str, ...],
    edited: tuple[str, ...],
) -> FinishedRun:
    plan, delivery = work.plan, work.delivery

    def images() -> Iterator[tuple[Output, Result | None]]:
        for chunk in _outputs_with_state(plan, delivery):
            for output, job_state in chunk:
                yield output, job_state.result if job_state else None

    def with_metadata(output: Output, data: bytes, mode: str) -> bytes:
        if mode == "strip":
            return data
        return added(data, delivery.metadata(output, mode == "keep"))

    def lines() -> Iterator[dict[str, Any]]:
        with manifest_path.open("rb") as stored:
            yield from map(json.loads, stored)

    return FinishedRun(
        recipe=plan.recipe,
        axes=plan.axes,
        outputs=images,
        read=delivery.read,
        original=lambda output: work.read_image(output.image),
        records=lines,
        manifest=manifest_path,
        path=target.path,
        held=held,
        edited=edited,
        overwrite=delivery.overwrite,
        files=next(
            (t.sink.location for t in (target, *delivery.targets) if t.layout == "files"), ""
        ),
        blobs=delivery.blobs,
        cache=delivery.cache,
        with_metadata=with_metadata,
        shrink=shrinking(delivery.workers),
    )
