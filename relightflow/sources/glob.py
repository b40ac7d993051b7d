"""The `glob` source: image files beside the recipe, by pattern, in natural order.

A file is opened without blocking and read only if it is a regular one. Files that did not change
since an earlier scan are not read again (`index.py`), yet `read` always checks the bytes it hands
over against the hash that the plan was made with.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from glob import escape
from itertools import islice
from pathlib import Path

from relightflow.core.project import climb
from relightflow.errors import UsageError
from relightflow.images import BadImage
from relightflow.images.filetypes import kind
from relightflow.model.image import Found, Image, PassedOver, Rejected, Remark
from relightflow.plugins.executor import Task
from relightflow.plugins.records import SourceContext
from relightflow.plugins.source import StaleImage
from relightflow.sources.file_index import FileIndex, Known, untouched
from relightflow.sources.files import bytes_of, examine, examined_apart, in_words, unusable
from relightflow.sources.patterns import Patterns, natural_order, split
from relightflow.sources.unmatched import unmatched
from relightflow.sources.walk import IS_FOLDER, FoundFile, Unmeant, Unusable, Walk

_THREADS = min(4, os.cpu_count() or 1)
_BATCH = 64


class Glob:
    """See the module; `options` are those of `builtin.GLOB_SCHEMA`."""

    def __init__(self, context: SourceContext) -> None:
        self._number = context.index
        self._delivery = context.options.get("delivery", "")
        self._ask = context.ask
        self._width = _BATCH if context.ask else _THREADS  # who waits for workers needs no core
        avoid = frozenset(os.path.realpath(place) for place in context.avoid)
        self._include: tuple[str, ...] = tuple(context.options["include"])
        include = self._include
        exclude = context.options.get("exclude", ())
        self._area = area = _Area.of(context, (*include, *exclude))
        if any(Path(area.folder).is_relative_to(place) for place in avoid):
            raise UsageError(
                "a sink writes directly into a folder that this source looks through, so its "
                "results would become inputs of the next run; use a separate folder for the sink"
            )
        self._walk = Walk(
            area.folder,
            Patterns(map(area.included, include)),
            Patterns(map(area.excluded, exclude), hidden=True),
            avoid,
            within=area.project,
        )
        self._index = FileIndex.of(context.cache, (area.folder, *include, "", *exclude))

    def scan(self) -> Iterator[Found]:
        name = self._area.name
        beside: Counter[str] = Counter()
        found: list[FoundFile | Unusable] = []
        for item in self._walk.found():
            if isinstance(item, Unmeant):
                beside[kind(item.name)] += 1
            else:
                found.append(item)
        found.sort(key=lambda item: (*natural_order(name(item)), item.name))
        yield from (PassedOver(kind, self._number, n) for kind, n in beside.items())
        yield from self._unmatched()
        self._index.load()
        with ThreadPoolExecutor(self._width, thread_name_prefix="glob") as pool:
            ahead = iter(found)
            while batch := tuple(islice(ahead, _BATCH)):
                known = [self._recalled(item) for item in batch]
                unread = [item for item, old in zip(batch, known, strict=True) if old is None]
                fresh = pool.map(self._examined, unread)
                yield from (old or next(fresh) for old in known)
        self._index.save()

    def read(self, image: Image) -> bytes:
        try:
            data = bytes_of(image.locator)
        except (OSError, BadImage) as error:
            raise StaleImage(_stale(image, f"can no longer be read ({in_words(error)})")) from None
        if hashlib.sha256(data).hexdigest() != image.sha256:
            raise StaleImage(_stale(image, "changed after it was planned"))
        return data

    def reader(self, image: Image) -> Callable[[], bytes]:
        return partial(bytes_of, image.locator)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _unmatched(self) -> Iterator[Remark]:
        matched, excluded = self._walk.matched, self._walk.excluded
        parts = tuple(map(self._area.included, self._include))
        for words in unmatched(self._area.folder, self._include, parts, matched, excluded):
            yield Remark(words, "include", self._number)

    def _recalled(self, item: FoundFile | Unusable) -> Image | Rejected | None:
        """What can be said of `item` without reading it."""
        if isinstance(item, Unusable):
            if item.reason == IS_FOLDER:
                written = self._area.written(item)
                words = f"a folder: write '{written}/*' for the images in it, or '{written}/**' for all below"
                return Rejected(self._area.name(item), words, self._number)
            return Rejected(self._area.name(item), item.reason, self._number, item.refused)
        known = self._index.find(item.name, item.facts)
        return self._image(item, known) if known else None

    def _examined(self, item: FoundFile) -> Image | Rejected | PassedOver:
        try:
            known = self._apart(item) or examine(bytes_of(item.path), item.name)
        except (OSError, BadImage) as error:
            return unusable(self._area.name(item), error, self._number, item.named)
        self._index.add(item.name, item.facts, known)
        return self._image(item, known)

    def _apart(self, item: FoundFile) -> Known | None:
        """What a worker says of a file that has not changed meanwhile; None: it is read here. Raises OSError."""
        if self._ask is None:
            return None
        facts = item.facts
        given = (item.path, item.name, facts.st_size, facts.st_mtime_ns)
        known = self._ask(Task("examine", examined_apart, given))
        if (
            known is None
            or known.size != facts.st_size
            or not untouched(facts, os.lstat(item.path))
        ):
            return None
        return known

    def _image(self, item: FoundFile, known: Known) -> Image:
        return known.image(self._area.name(item), self._number, item.path, self._delivery)


@dataclass(frozen=True, slots=True)
class _Area:
    """What a source looks through: the recipe's folder, or as far above it as its patterns climb."""

    folder: str
    """Absolute and free of links."""
    inner: tuple[str, ...]
    """The folders from there to the recipe's own."""
    project: str
    """The root of the recipe's project."""

    @classmethod
    def of(cls, context: SourceContext, patterns: Iterable[str]) -> _Area:
        """Raises RefusedError where a pattern leads out of the project."""
        ups = 0
        for pattern in patterns:
            if ".." in pattern.split("/"):
                context.place(pattern)
                ups = max(ups, climb(pattern)[0])
        folder = Path(os.path.realpath(context.folder))
        top = folder.parents[ups - 1] if ups else folder
        project = context.project.root if context.project else folder
        return cls(str(top), folder.relative_to(top).parts, str(project))

    def included(self, pattern: str) -> tuple[str, ...]:
        """The parts of a recipe's pattern, as they count from here. Raises UsageError."""
        ups, parts = climb(pattern) if ".." in pattern.split("/") else (0, split(pattern))
        return (*map(escape, self.inner[: len(self.inner) - ups]), *split("/".join(parts)))

    def excluded(self, pattern: str) -> tuple[str, ...]:
        """The same for `exclude`, where a `**` at the beginning stands for every folder looked through."""
        parts = self.included(pattern)
        return parts[len(self.inner) :] if pattern.startswith("**") else parts

    def written(self, item: FoundFile | Unusable) -> str:
        """How a pattern in the recipe spells the file: relative to its folder, with `..`."""
        return _text(os.path.relpath(item.name, "/".join(self.inner) or "."))

    def name(self, item: FoundFile | Unusable) -> str:
        """How the recipe calls a file: relative to its folder; one that is not below it, to the nearest
        folder above both."""
        parts = item.name.split("/")
        for folder in self.inner:
            if parts[0] != folder or len(parts) == 1:
                break
            del parts[0]
        return _text("/".join(parts))


def _stale(image: Image, what: str) -> str:
    return f"{image.name} {what}; run again to use its current content"


def _text(name: str) -> str:
    """A file name as text that can be written anywhere: bytes that are no UTF-8 become `\\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
