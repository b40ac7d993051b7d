"""Measures one result: in a thread of this process, or on a worker, which makes the checks anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from relightflow.checks.small import small
from relightflow.errors import RelightflowError
from relightflow.executors.input_image import read_planned
from relightflow.executors.shared_blobs import SharedBlobs
from relightflow.executors.workers import Workers
from relightflow.images import BadImage
from relightflow.model.check import CheckSpec
from relightflow.model.image import Image
from relightflow.model.job import Output, without_secrets
from relightflow.model.outcome import Result
from relightflow.model.values import canonical_json
from relightflow.plugins.check import Check, CheckImage, CheckView
from relightflow.plugins.executor import ExecutorUnavailable, Task, TaskRefused
from relightflow.plugins.records import CheckContext
from relightflow.plugins.registry import Registry, load
from relightflow.plugins.source import StaleImage

_UNREADABLE = (OSError, RelightflowError, BadImage, StaleImage)
"""What reading an image may raise."""


@dataclass(frozen=True, slots=True)
class ImageReader:
    """Where the bytes are. Functions block and are called by several threads."""

    result: Callable[[Result], bytes]
    """Raises OSError or RelightflowError."""
    source: Callable[[Image], bytes]
    """Raises OSError, RelightflowError or StaleImage."""
    cache: Path | None = None
    """A folder for verdicts, which may be forgotten; None: nothing is kept."""
    reader: Callable[[Image], Callable[[], bytes] | None] = lambda image: None  # noqa: ARG005
    """What reads an input image on a worker; None: only this process can."""


@dataclass(frozen=True, slots=True)
class MadeCheck:
    spec: CheckSpec
    check: Check
    identity: str
    """All that its verdicts depend on beside the images."""
    folder: Path
    """The recipe's, from which paths in its options count."""


def make_check(spec: CheckSpec, registry: Registry, folder: Path) -> MadeCheck:
    """Raises what the check's `create` raises."""
    record = registry.check(spec.type)
    check = record.make(CheckContext(folder, spec.options))
    facts = [spec.type, record.version, spec.options, str(getattr(check, "basis", ""))]
    return MadeCheck(spec, check, canonical_json(facts), folder.absolute())


def measured(made: Sequence[MadeCheck], view: CheckView) -> list[Any]:
    """What each check measures, or the exception: it may be anybody's, and costs itself only."""
    return [_guarded(one.check, view) for one in made]


def _guarded(check: Check, view: CheckView) -> Any:
    try:
        return check.measure(view)
    except Exception as problem:
        return problem


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A check as a worker makes it."""

    spec: CheckSpec
    folder: Path
    identity: str
    """A worker that sees another one has other files, and would judge by them."""


def _measure_on_worker(
    blobs: SharedBlobs,
    blueprints: tuple[Blueprint, ...],
    output: Output,
    sha256: str,
    read_source: Callable[[], bytes],
) -> list[Any]:
    """`measured`, for the result `sha256`.

    Raises TaskRefused for what only this worker cannot read.
    """
    made = [_made(blueprint) for blueprint in blueprints]
    try:
        source = _source(output.image.sha256, read_source)
        result = small(blobs.read(sha256))
    except _UNREADABLE as problem:
        raise TaskRefused(f"a worker could not read an image: {problem}") from None
    return measured(made, CheckView(output, result, source))


_sources: dict[str, CheckImage] = {}
"""Of the last input images, by sha256: their results come one after the other."""


def _source(sha256: str, read: Callable[[], bytes]) -> CheckImage:
    """Raises TaskRefused and BadImage."""
    found = _sources.get(sha256)
    if found is None:
        found = _sources[sha256] = small(read_planned(read, sha256))
        while len(_sources) > 4:
            _sources.pop(next(iter(_sources)), None)
    return found


@lru_cache(maxsize=64)
def _made(blueprint: Blueprint) -> MadeCheck:
    try:
        made = make_check(blueprint.spec, _registry(), blueprint.folder)
    except Exception as problem:
        raise TaskRefused(
            f"a worker could not make the check '{blueprint.spec.type}': {problem}"
        ) from None
    if made.identity != blueprint.identity:
        raise TaskRefused(
            f"a worker sees other files of the check '{blueprint.spec.type}' than this machine"
        )
    return made


@lru_cache(maxsize=1)
def _registry() -> Registry:
    return load()


class Measuring:
    """The results of one input image, measured in order by whoever is there to do it."""

    def __init__(
        self, made: Sequence[MadeCheck], images: ImageReader, workers: Workers, image: Image
    ) -> None:
        self._made = made
        self._images = images
        self._workers = workers
        self._reader = images.reader(image)
        self._source = _Once(lambda: small(images.source(image)))
        self._by_worker = False

    @property
    def has_source(self) -> bool:
        """Whether the input image could be read; a worker that cannot does not measure."""
        return self._by_worker or self._source.get() is not None

    def values(self, present: Sequence[tuple[Output, Result]]) -> Iterator[list[Any] | str]:
        """What each check measured of each result, or in words why nothing could be."""
        waiting = [self._submitted(*item) for item in present]
        for item, (future, elsewhere) in zip(present, waiting, strict=True):
            try:
                value = future.result()
                self._by_worker |= elsewhere
            except ExecutorUnavailable as problem:
                self._workers.unavailable(problem)
                value = self._workers.pool.submit(self._here(*item)).result()
            yield value

    def _submitted(self, output: Output, result: Result) -> tuple[Future[list[Any] | str], bool]:
        """The measurement, and whether a worker makes it."""
        blobs = self._workers.shared("check")
        if blobs is None or self._reader is None:
            return self._workers.pool.submit(self._here(output, result)), False
        prints = tuple(Blueprint(one.spec, one.folder, one.identity) for one in self._made)
        given = (blobs, prints, without_secrets(output), result.sha256, self._reader)
        return self._workers.submit(Task("check", _measure_on_worker, given)), True

    def _here(self, output: Output, result: Result) -> Task[list[Any] | str]:
        return Task("check", self._measured, (output, result))

    def _measured(self, output: Output, result: Result) -> list[Any] | str:
        try:
            view = CheckView(output, small(self._images.result(result)), self._source.get())
        except _UNREADABLE as problem:
            return f"the result cannot be read: {in_words(problem)}"
        return measured(self._made, view)


class _Once:
    """An input image, read by the first thread that needs it; None where it cannot be."""

    def __init__(self, read: Callable[[], CheckImage]) -> None:
        self._read = read
        self._turn = Lock()
        self._found: list[CheckImage | None] = []

    def get(self) -> CheckImage | None:
        with self._turn:
            if not self._found:
                try:
                    self._found.append(self._read())
                except _UNREADABLE:
                    self._found.append(None)
            return self._found[0]


def in_words(problem: BaseException) -> str:
    """`problem` in a line: our own words as they are, others with their type."""
    words = " ".join(str(problem).split())
    if isinstance(problem, RelightflowError | BadImage):
        return words
    return f"{type(problem).__name__}: {words}" if words else type(problem).__name__
