"""Has workers deliver what is new: they read it from the store, convert it and write it to the sink.

A task may be done twice: what stands in the sink then is what the first has written. What is there
already is looked at here, and so is what a worker says that it wrote to a folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from relightflow.deliver.target import (
    FAULTS,
    DeliveryResult,
    Material,
    SinkTarget,
    deliver_many,
    deliver_one,
)
from relightflow.executors.shared_blobs import SharedBlobs
from relightflow.executors.workers import Workers
from relightflow.images import BadImage, encode, thumbnail
from relightflow.images.metadata import Metadata
from relightflow.ledger.rows import Delivered
from relightflow.model.job import Output, without_secrets
from relightflow.model.outcome import Result
from relightflow.model.output_format import OutputFormat
from relightflow.plugins.executor import ExecutorUnavailable, Task, TaskRefused
from relightflow.plugins.records import SinkContext
from relightflow.plugins.registry import Registry, load
from relightflow.plugins.sink import FileState, Shrink, Sink, WriteReceipt

_SHRINK = "thumbnail"


class _Item(NamedTuple):
    path: str
    output: Output
    result: Result


def deliver_all(
    target: SinkTarget,
    items: Sequence[tuple[str, Output, Result]],
    known: Mapping[str, Delivered],
    material: Material,
    overwrite: bool,
    workers: Workers | None,
) -> Iterator[DeliveryResult | Exception]:
    """As `deliver_many`; what the sink does not have yet is delivered by workers, where there are any."""
    if workers is None or workers.shared("deliver") is None or target.context is None:
        yield from deliver_many(target, items, known, material, overwrite)
        return
    asked = [
        _asked(target, _Item(*item), known.get(item[0]), material, overwrite, workers)
        for item in items
    ]
    for item, answer in zip(items, asked, strict=True):
        found = _answered(target, item[0], answer, workers) if answer else None
        if found is not None:
            yield found
        else:
            yield from deliver_many(target, [item], known, material, overwrite)


def _asked(
    target: SinkTarget,
    item: _Item,
    known: Delivered | None,
    material: Material,
    overwrite: bool,
    workers: Workers,
) -> Future[DeliveryResult] | None:
    """What a worker will say; None: it is quicker, or better, to deliver from here."""
    blobs, context = workers.shared("deliver"), target.context
    if blobs is None or context is None:
        return None
    if known is not None and known.basis == target.basis(item.output, item.result):
        return None  # most likely it is there: one look
    metadata = None
    if target.metadata != "strip":
        try:
            metadata = material.metadata(item.output, target.metadata == "keep")
        except FAULTS:
            return None  # it is said by whoever delivers it
    operator = replace(context.operator, store="")  # no business of a sink
    context = replace(context, folder=context.folder.absolute(), operator=operator)
    blueprint = _Blueprint(
        target.type, context, target.sink.location, target.form, target.metadata, blobs.marker
    )
    bare = item._replace(output=without_secrets(item.output))
    given = (blobs, blueprint, bare, known, metadata, overwrite)
    return workers.submit(Task("deliver", _deliver, given))


def shrinking(workers: Workers | None) -> Shrink | None:
    """Has workers make small images of results; None: there are none that could."""
    if workers is None or workers.shared(_SHRINK) is None:
        return None

    def shrink(
        sha256: str, box: tuple[int, int], media_type: str, quality: int = 92
    ) -> bytes | None:
        blobs = workers.shared(_SHRINK)
        given = (blobs, sha256, box, media_type, quality)
        return workers.ask(Task(_SHRINK, _shrunk, given)) if blobs else None

    return shrink


def _shrunk(
    blobs: SharedBlobs, sha256: str, box: tuple[int, int], media_type: str, quality: int
) -> bytes:
    """Done by a worker. Raises TaskRefused where the result is missing or damaged: the run says so."""
    try:
        return encode(thumbnail(blobs.read(sha256), *box), media_type, quality)
    except BadImage as problem:
        raise TaskRefused(f"a worker could not read a result: {problem}") from None


def _answered(
    target: SinkTarget, path: str, future: Future[DeliveryResult], workers: Workers
) -> DeliveryResult | None:
    """What a worker did, if it can be seen from here; None: deliver it from here."""
    try:
        found = future.result()
        if _is_there(target, path, found):
            return found
        missing = f"a worker's file did not appear in {target.sink.location}"
        workers.unavailable(TaskRefused(missing))
    except ExecutorUnavailable as problem:
        workers.unavailable(problem)
    return None


def _is_there(target: SinkTarget, path: str, found: DeliveryResult) -> bool:
    """A worker may see another folder of the same name; a bucket is the same everywhere."""
    if found.row is None or not Path(target.sink.location).is_absolute():
        return True
    receipt = WriteReceipt(found.row.sha256, found.row.size, found.row.mark)
    return target.sink.check(path, receipt, found.row.sha256) is FileState.SAME


@dataclass(frozen=True, slots=True)
class _Blueprint:
    """A sink as a worker makes it, once a run."""

    type: str
    context: SinkContext
    location: str
    """Of the sink, as it is here."""
    form: OutputFormat | None
    metadata: str
    run: str
    """Sinks may remember what they saw, so that another run gets one of its own."""


@dataclass(frozen=True, slots=True)
class _WorkerMaterial:
    """What a worker delivers from; implements Material."""

    blobs: SharedBlobs
    found: Metadata | None

    def read(self, result: Result) -> bytes:
        return self.blobs.read(result.sha256)

    def metadata(self, output: Output, everything: bool) -> Metadata:
        del output, everything  # it was read where the input is
        assert self.found is not None
        return self.found


def _deliver(
    blobs: SharedBlobs,
    blueprint: _Blueprint,
    item: _Item,
    known: Delivered | None,
    metadata: Metadata | None,
    overwrite: bool,
) -> DeliveryResult:
    """Done by a worker. Raises TaskRefused for whatever goes wrong there: it may go well here."""
    blobs.check()
    target = _target(blueprint)
    material = _WorkerMaterial(blobs, metadata)
    try:
        return deliver_one(target, item.path, item.output, item.result, known, material, overwrite)
    except ExecutorUnavailable:
        raise
    except Exception as problem:
        what = str(problem) or type(problem).__name__
        raise TaskRefused(f"a worker could not deliver ({what})") from None


@lru_cache(maxsize=16)
def _sink(type_: str, context: SinkContext, run: str) -> Sink:
    del run
    return _registry().sink(type_).make(context)


@lru_cache(maxsize=1)
def _registry() -> Registry:
    return load()


def _target(blueprint: _Blueprint) -> SinkTarget:
    try:
        sink = _sink(blueprint.type, blueprint.context, blueprint.run)
    except Exception as problem:
        raise TaskRefused(
            f"a worker could not open the sink '{blueprint.type}': {problem}"
        ) from None
    if sink.location != blueprint.location:
        raise TaskRefused(f"a worker would write to {sink.location}, not {blueprint.location}")
    return SinkTarget(
        sink, blueprint.type, "files", None, "", blueprint.context.options, blueprint.form,
        blueprint.metadata,
    )  # fmt: skip
