"""Checks the results of a recipe or a manifest from the store: no network, no purchase, nothing written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from relightflow.checks.measuring import ImageReader
from relightflow.checks.runner import Checker, make_checks, open_checks
from relightflow.core.project import Project
from relightflow.errors import RelightflowError
from relightflow.gallery.entries import Entry
from relightflow.gallery.run import GalleryRun
from relightflow.ledger.reader import Reader
from relightflow.model.check_report import CheckedOutput, CheckReport
from relightflow.model.image import Image
from relightflow.model.job import Job, Output
from relightflow.model.outcome import Result
from relightflow.model.plan import Plan
from relightflow.plan.outputs import outputs
from relightflow.plugins.opening import open_sources
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.recipe.checks import default_checks
from relightflow.report.gallery.collect import run_of_manifest
from relightflow.run.restoring import open_state_reader
from relightflow.run.retries import with_failed_retried
from relightflow.store import blobs
from relightflow.store.atomic import opened_folder, parts_of
from relightflow.store.state_dir import StateDir

_CHUNK = 512
_LARGEST = 256 << 20
"""Bytes of an input image that is looked for beside a manifest."""
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


def check_results(plan: Plan, registry: Registry, state_dir: StateDir) -> CheckReport:
    """What the recipe's checks say of the results that there are, whatever part of it `plan` selects.
    Blocks; writes only to the cache. Raises InvalidRecipe where a check cannot be made, StorageError.
    """
    whole = plan.described
    checker = open_checks(whole.recipe, registry)
    cache = state_dir.cache if state_dir.cache.is_dir() else None
    with open_state_reader(state_dir) as seen:
        results = list(_results(whole, seen.ledger))
    with open_sources(whole.recipe, registry, OperatorPolicy(offline=True), cache) as sources:
        images = ImageReader(
            lambda result: blobs.read(state_dir.blobs, result.sha256), sources.read, cache
        )
        return CheckReport(whole.recipe.name, _checked(checker, results, images), whole.recipe)


def retry_failed_checks(plan: Plan, registry: Registry, state_dir: StateDir) -> tuple[Plan, int]:
    """The plan with one more repeat in the place of each result that fails a check now, and how many
    those are. Blocks; buys nothing. Raises as `check_results` does."""
    return with_failed_retried(plan, check_results(plan, registry, state_dir))


def _results(plan: Plan, reader: Reader) -> Iterator[tuple[Output, Result | None]]:
    every = outputs(plan)
    while chunk := list(islice(every, _CHUNK)):
        states = reader.job_states([output.job.key for output in chunk])
        for output in chunk:
            state = states.get(output.job.key)
            yield output, state.result if state else None


def _checked(
    checker: Checker, results: list[tuple[Output, Result | None]], images: ImageReader
) -> tuple[CheckedOutput, ...]:
    found = checker.verdicts(results, images)
    return tuple(
        CheckedOutput(output, result is not None, verdicts)
        for (output, result), verdicts in zip(results, found, strict=True)
    )


def check_manifest(path: Path, registry: Registry, state_dir: StateDir) -> CheckReport:
    """What the default checks say of the results of a manifest, found in the store or beside it; input
    images are looked for by name and hash in the manifest's folder and those above it.

    Raises UsageError where the file is no manifest.
    """
    run = run_of_manifest(path, state_dir)
    folders = [path.absolute().parent, *path.absolute().parent.parents]
    project = Project.of(path.parent).root
    inside = [folder for folder in folders if folder.resolve().is_relative_to(project)]

    def result(wanted: Result) -> bytes:
        data = run.images.result(by_hash[wanted.sha256])
        if data is None:
            raise FileNotFoundError("it is neither in the store nor beside the manifest")
        return data

    by_hash = {entry.sha256: entry for entry in run.entries if entry.sha256}
    results = [(_output(run, n, entry), _result(entry)) for n, entry in enumerate(run.entries)]
    images = ImageReader(result, lambda image: _beside(inside, image))
    checker = make_checks(default_checks(registry), registry, path.absolute().parent)
    return CheckReport(run.head.recipe, _checked(checker, results, images))


def _output(run: GalleryRun, index: int, entry: Entry) -> Output:
    image = Image(entry.input.name, entry.input.sha256, 0, 0, 0, "", 0, "")
    backend, model = run.head.backend, run.head.model
    job = Job(entry.job, image, backend, model, entry.cell, entry.repeat)
    return Output(index, job, image, entry.cell)


def _result(entry: Entry) -> Result | None:
    if not entry.sha256:
        return None
    return Result(entry.sha256, entry.size, entry.width, entry.height, entry.media_type)


def _beside(folders: list[Path], image: Image) -> bytes:
    """An input image in one of the folders. Raises FileNotFoundError. A manifest may be a stranger's:
    only bytes with its hash are taken, and no link is followed."""
    for folder in folders:
        with suppress(OSError, RelightflowError):
            *inner, name = parts_of(image.name)
            with (
                opened_folder(folder, inner) as opened,
                os.fdopen(os.open(name, _READ, dir_fd=opened), "rb") as file,
            ):
                data = file.read(_LARGEST + 1)
            if hashlib.sha256(data).hexdigest() == image.sha256:
                return data
    raise FileNotFoundError(image.name)
