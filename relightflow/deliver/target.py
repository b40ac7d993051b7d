"""A sink in use: where it stands in the recipe, and what of it is where it should be."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from relightflow.core.digest import sha256_of
from relightflow.core.project import Project
from relightflow.errors import InvalidRecipe, RefusedError
from relightflow.images.bad import BadImage
from relightflow.images.derive import derive
from relightflow.images.metadata import Metadata, added
from relightflow.ledger.rows import Delivered
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.output_format import Copy, OutputFormat, extension, output_format
from relightflow.model.recipe import Recipe
from relightflow.model.values import FrozenMap
from relightflow.plan.names import output_path
from relightflow.plugins.records import Layout, OperatorPolicy, SinkContext
from relightflow.plugins.registry import Registry
from relightflow.plugins.sink import FileState, HasReceipt, Sink, SinkFailed, WriteReceipt, width_of

KEPT = "kept:"
"""Before the basis of a file that was accepted in the place of what would be made from it."""
_METADATA_VERSION = 1
"""Raised when metadata is added differently, so that old copies are made again."""
FAULTS = Exception
"""A sink may be anybody's: whatever it raises, bugs included, costs it alone and no call in flight."""


@dataclass(frozen=True, slots=True)
class SinkTarget:
    sink: Sink
    type: str
    layout: Layout
    template: str | None
    """Of the file names."""
    recipe: str
    """The recipe's name, for templates."""
    options: FrozenMap
    form: OutputFormat | None = None
    """Of the copies that are delivered; None: the images as they were made."""
    metadata: str = "strip"
    """What results that say nothing get of their input: `copyright`, `keep` or `strip`."""
    writes: tuple[str, ...] = ()
    """See `SinkRecord.writes`."""
    context: SinkContext | None = None
    """What a worker makes the same sink of; None: only this process can write to it."""

    @property
    def id(self) -> str:
        """What the ledger remembers the sink's files under."""
        return f"{self.type}:{self.sink.location}"

    def path(self, output: Output, result: Result) -> str:
        """Where `output` goes, relative to the sink."""
        return output_path(self.template, output, self.recipe, extension(self.media_type(result)))

    def media_type(self, result: Result) -> str:
        """Of what is delivered."""
        return self.form.media_type if self.form else result.media_type

    def basis(self, output: Output, result: Result) -> str:
        """What the delivered file is made from, for the ledger: the blob, and how it is changed."""
        basis = self.form.basis(result.sha256, result.media_type) if self.form else result.sha256
        if self.metadata == "strip":
            return basis
        return f"{basis}>{self.metadata}:{_METADATA_VERSION}:{output.image.sha256}"

    def bytes_of(self, output: Output, result: Result, material: Material) -> bytes:
        """What is to be delivered. Raises SinkFailed where it cannot be made."""
        data = material.read(result)
        try:
            data = derive(data, result.media_type, self.form) if self.form else data
        except BadImage as error:
            raise SinkFailed(f"no copy in another format could be made: {error.reason}") from error
        if self.metadata == "strip":
            return data
        return added(data, material.metadata(output, self.metadata == "keep"))

    def copy(self, result: Result, receipt: WriteReceipt) -> Copy | None:
        """What stands in the image's place; None where it is the image itself."""
        if receipt.sha256 == result.sha256:
            return None
        same = self.form is None or self.form.keeps(result.media_type)
        return Copy(receipt.sha256, receipt.size, self.media_type(result), metadata=same)


class Material(Protocol):
    """What deliveries are made of. Methods block."""

    def read(self, result: Result) -> bytes:
        """The result's bytes. Raises DamagedError."""

    def metadata(self, output: Output, everything: bool) -> Metadata:
        """What the input image of an output says of itself. Raises SinkFailed."""


def open_targets(
    recipe: Recipe, registry: Registry, operator: OperatorPolicy
) -> tuple[SinkTarget, ...]:
    """Every sink of the recipe, made and ready. Raises what their `create` raises, and InvalidRecipe
    where two would write the same files, over and over."""
    made: list[SinkTarget] = []
    project = Project.of(recipe.folder)
    for index, spec in enumerate(recipe.sinks):
        record = registry.sink(spec.type)
        context = SinkContext(recipe.folder, spec.options, recipe.name, operator, project)
        sink = record.make(context)
        _check_apart(sink.location, operator.store)
        template = spec.options.get("name") if record.takes_names else None
        form = output_format(spec.options) if record.converts_format else None
        takes = "metadata" in record.schema.get("properties", {})
        metadata = spec.options.get("metadata", "copyright") if takes else "strip"
        target = SinkTarget(
            sink, spec.type, record.layout, template, recipe.name, spec.options, form, metadata,
            record.writes, context if record.remote else None,
        )  # fmt: skip
        duplicate = next((n for n, other in enumerate(made) if other.id == target.id), None)
        if duplicate is not None:
            words = f"writes to the same place as sinks[{duplicate}]: use a different folder"
            raise InvalidRecipe([recipe.problem(f"sinks[{index}]", words)])
        made.append(target)
    return tuple(made)


def _check_apart(location: str, store: str) -> None:
    """Raises RefusedError where a sink would write into the shared store, whose entries are believed by
    every machine."""
    place, shared = (
        os.path.realpath(url.removeprefix("file://")) if url.startswith(("/", "file://")) else url
        for url in (location, store)
    )
    if store and f"{place.rstrip('/')}/".startswith(f"{shared.rstrip('/')}/"):
        raise RefusedError(
            f"a sink may not write to {location}: it is in the shared store. Use another location "
            "for the sink"
        )


class DeliveryResult(NamedTuple):
    """What became of one output at one sink."""

    path: str
    row: Delivered | None = None
    """To be remembered, where something new is known."""
    written: bool = False
    edited: bool = False
    """Somebody's own work is there; it was kept."""
    failed: bool = False
    copy: Copy | None = None
    """What is there in the image's place; None: the very image, or nobody knows."""


def deliver_one(
    target: SinkTarget,
    path: str,
    output: Output,
    result: Result,
    known: Delivered | None,
    material: Material,
    overwrite: bool,
) -> DeliveryResult:
    """Make sure that the sink has `result`, or its copy, at `path`. Blocks.

    A file that is as we last wrote it is ours and may be replaced; one that somebody changed is
    kept, and one that was accepted in the result's place stays whatever the operator says. A copy is
    only made where none was, or another one is wanted now. Raises SinkFailed or OSError, and
    DamagedError where the store's own bytes are wrong.
    """
    basis = target.basis(output, result)
    file_state = FileState.EDITED  # until it is found to be ours
    if known is not None:
        receipt = WriteReceipt(known.sha256, known.size, known.mark)
        file_state = target.sink.check(path, receipt, known.sha256)
        if file_state is FileState.SAME and known.basis == basis:
            return DeliveryResult(path, copy=target.copy(result, receipt))
        if file_state is FileState.SAME and known.basis.startswith(KEPT):
            if known.basis == KEPT + basis:
                copy = Copy(known.sha256, known.size, target.media_type(result), kept=True)
                return DeliveryResult(path, copy=copy)
            file_state = FileState.EDITED  # it was accepted in the place of another result
    sha256, size, data = _wanted(target, output, result, known, material)
    if file_state is FileState.EDITED:
        file_state = target.sink.check(path, None, sha256)
    elif file_state is FileState.SAME and known is not None and known.sha256 != sha256:
        file_state = FileState.MISSING  # ours, and out of date
    if file_state is FileState.EDITED and not overwrite:
        wanted = WriteReceipt(sha256, size, "")
        return DeliveryResult(path, edited=True, copy=target.copy(result, wanted))
    held = None
    if file_state is FileState.SAME:
        held = _held(target.sink, path, sha256, known)
    if held is None:
        data = data or target.bytes_of(output, result, material)
        held = target.sink.write(path, data, target.media_type(result))
    row = Delivered(target.id, path, basis, held.sha256, held.size, held.mark)
    written = file_state is not FileState.SAME
    return DeliveryResult(path, row, written=written, copy=target.copy(result, held))


def is_edited(
    target: SinkTarget,
    path: str,
    output: Output,
    result: Result,
    known: Delivered | None,
    material: Material,
) -> bool:
    """Whether somebody's own work, not accepted as it is, stands at `path`. Blocks. Raises as delivery
    does."""
    if known is not None:
        receipt = WriteReceipt(known.sha256, known.size, known.mark)
        file_state = target.sink.check(path, receipt, known.sha256)
        accepted_elsewhere = known.basis.startswith(KEPT) and known.basis != KEPT + target.basis(
            output, result
        )
        if file_state is not FileState.EDITED and not accepted_elsewhere:
            return False
    sha256, _, _ = _wanted(target, output, result, known, material)
    return target.sink.check(path, None, sha256) is FileState.EDITED


def _held(sink: Sink, path: str, sha256: str, known: Delivered | None) -> WriteReceipt | None:
    """The receipt of what is at `path` and as it should be; None: nobody knows it."""
    if known is not None and known.sha256 == sha256:
        return WriteReceipt(known.sha256, known.size, known.mark)
    return sink.receipt(path, sha256) if isinstance(sink, HasReceipt) else None


def _wanted(
    target: SinkTarget, output: Output, result: Result, known: Delivered | None, material: Material
) -> tuple[str, int, bytes | None]:
    """sha256 and size of what is to be delivered; its bytes too, where only they tell."""
    basis = target.basis(output, result)
    if basis == result.sha256:
        return result.sha256, result.size, None
    if known is not None and known.basis == basis:
        return known.sha256, known.size, None
    data = target.bytes_of(output, result, material)
    return sha256_of(data), len(data), data


def deliver_many(
    target: SinkTarget,
    items: Sequence[tuple[str, Output, Result]],
    known: Mapping[str, Delivered],
    material: Material,
    overwrite: bool,
) -> Iterator[DeliveryResult | Exception]:
    """`deliver_one` for each path, output and result, in their order, as many at a time as the sink
    wants.

    A fault of one is its answer and stops no other. `known`: by path, what the sink was given.
    """

    def one(item: tuple[str, Output, Result]) -> DeliveryResult | Exception:
        path, output, result = item
        try:
            return deliver_one(target, path, output, result, known.get(path), material, overwrite)
        except FAULTS as error:
            return error

    width = min(width_of(target.sink), len(items))
    if width < 2:
        yield from map(one, items)
        return
    with ThreadPoolExecutor(width, thread_name_prefix="sink") as pool:
        yield from pool.map(one, items)
