"""Recipes and manifests as runs of a gallery: what is on this machine, without a network.

A recipe is shown as it stands in the ledger now, a manifest as it was written.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from relightflow.checks.measuring import ImageReader
from relightflow.checks.runner import open_checks
from relightflow.core.project import Project
from relightflow.deliver import manifest
from relightflow.errors import RelightflowError, UsageError
from relightflow.gallery import entries as records
from relightflow.gallery.entries import Entry, Input, ManifestHead, Unused
from relightflow.gallery.local_images import LocalImages
from relightflow.gallery.run import GalleryRun
from relightflow.ledger.reader import open_reader
from relightflow.model.check import CheckResult
from relightflow.model.image import Image
from relightflow.model.job import Output
from relightflow.model.outcome import Result
from relightflow.model.output_format import extension, output_format
from relightflow.model.plan import Plan
from relightflow.model.recipe import BackendSpec
from relightflow.plan.names import output_path
from relightflow.plan.outputs import outputs
from relightflow.plugins.opening import Sources
from relightflow.plugins.records import SinkContext
from relightflow.plugins.registry import Registry
from relightflow.plugins.source import StaleImage
from relightflow.sinks.folder import Folder
from relightflow.store import blobs
from relightflow.store.state_dir import StateDir

CHUNK = 512
LARGEST = 256 << 20
"""Bytes of a manifest."""


def run_of_recipe(
    plan: Plan, sources: Sources, registry: Registry, state_dir: StateDir
) -> GalleryRun:
    """The recipe as it stands in the ledger now. Blocks; writes nothing."""
    folder, path_of = _delivered(plan, registry)
    found: list[Entry] = []
    lines: list[str] = []
    counts: Counter[str] = Counter()
    verdicts = _verdicts(plan, sources, registry, state_dir)
    lines_of = manifest.OutputLines()
    with open_reader(state_dir.ledger) as reader:
        for chunk in _chunks(plan):
            states = reader.job_states([output.job.key for output in chunk])
            for output in chunk:
                state = states.get(output.job.key)
                path = path_of(output, state.result) if state and state.result else None
                checks = verdicts.get(output.index, ())
                counts[manifest.status_of(state)] += 1
                lines.append(lines_of.line(output, state, path, checks=checks))
                found.append(_entry(lines[-1]))
    lines += (manifest.line(manifest.rejected(item)) for item in plan.rejected)
    whole = manifest.line(manifest.head(plan, counts)) + "".join(lines)
    recipe = plan.recipe
    head = ManifestHead(
        recipe.name,
        recipe.sha256,
        recipe.backend_names if recipe.more_backends else recipe.backend.type,
        recipe.model_names,
        tuple(map(_told, recipe.backends)) if recipe.more_backends else (),
    )
    unused = [Unused(item.name, item.reason) for item in plan.rejected]
    known = {axis.name: axis.values for axis in recipe.matrix.axes}
    images = _local_images(plan.images, sources, state_dir, folder)
    return GalleryRun(
        head, found, unused, hashlib.sha256(whole.encode()).hexdigest(), images, known
    )


def _told(spec: BackendSpec) -> tuple[str, str]:
    """What a value of the axis `backend` stands for, as `ManifestHead.models` has it."""
    model = spec.model.name
    return spec.name, spec.type if spec.type == model else f"{spec.type} {model}"


def _verdicts(
    plan: Plan, sources: Sources, registry: Registry, state_dir: StateDir
) -> dict[int, Sequence[CheckResult]]:
    """What the recipe's checks say, by the output's index; of the whole plan, since siblings decide."""
    whole = plan.described
    if not whole.recipe.checks:
        return {}
    cache = state_dir.cache if state_dir.cache.is_dir() else None
    images = ImageReader(
        lambda result: blobs.read(state_dir.blobs, result.sha256), sources.read, cache
    )
    results: list[tuple[Output, Result | None]] = []
    with open_reader(state_dir.ledger) as reader:
        for chunk in _chunks(whole):
            states = reader.job_states([output.job.key for output in chunk])
            for output in chunk:
                state = states.get(output.job.key)
                results.append((output, state.result if state else None))
    found = open_checks(whole.recipe, registry).verdicts(results, images)
    return {output.index: one for (output, _), one in zip(results, found, strict=True) if one}


def run_of_manifest(path: Path, state_dir: StateDir) -> GalleryRun:
    """A manifest as it was written; its images beside it or in the store.

    Raises UsageError where the file is no manifest.
    """
    data = _read(path)
    found = list(records.read_lines(data.splitlines(), str(path)))
    heads = [item for item in found if isinstance(item, ManifestHead)]
    if not heads:
        raise UsageError(f"{path}: not a manifest: its first record, of the recipe, is missing")
    results = [item for item in found if isinstance(item, Entry)]
    unused = [item for item in found if isinstance(item, Unused)]
    digest = hashlib.sha256(data).hexdigest()
    images = LocalImages(state_dir.blobs, path.absolute().parent)
    return GalleryRun(heads[0], results, unused, digest, images)


def _chunks(plan: Plan) -> Iterator[list[Output]]:
    chunk: list[Output] = []
    for output in outputs(plan):
        chunk.append(output)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _entry(line: str) -> Entry:
    found = records.record(json.loads(line))
    assert isinstance(found, Entry)
    return found


def _delivered(
    plan: Plan, registry: Registry
) -> tuple[Path | None, Callable[[Output, Result], str | None]]:
    """The folder of the recipe's first sink that holds the results themselves on this machine, and
    their names in it."""
    recipe = plan.recipe
    project = Project.of(recipe.folder)
    for spec in recipe.sinks:
        sink = registry.sink(spec.type)
        path = spec.options.get("path")
        if sink.layout == "files" and isinstance(path, str) and not output_format(spec.options):
            template = spec.options.get("name")
            place = SinkContext(recipe.folder, spec.options, recipe.name, project=project).place
            folder = Path(Folder(recipe.folder, path, place).location)
            return folder, partial(_path, template, recipe.name)
    return None, lambda output, result: None  # noqa: ARG005


def _path(template: str | None, recipe: str, output: Output, result: Result) -> str:
    return output_path(template, output, recipe, extension(result.media_type))


def _local_images(
    images: Sequence[Image], sources: Sources, state_dir: StateDir, folder: Path | None
) -> LocalImages:
    by_sha256 = {image.sha256: image for image in reversed(images)}

    def read_input(image: Input) -> bytes | None:
        with suppress(StaleImage, OSError, RelightflowError):
            return sources.read(by_sha256[image.sha256])
        return None

    def find_input(image: Input) -> Path | None:
        path = Path(by_sha256[image.sha256].locator)
        return path if path.is_absolute() and path.is_file() else None

    return LocalImages(state_dir.blobs, folder, read_input, find_input)


def _read(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{path}: is not a regular file")
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # it may be a pipe by now
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > LARGEST:
        raise UsageError(f"{path}: is larger than {LARGEST >> 20} MiB")
    return data
