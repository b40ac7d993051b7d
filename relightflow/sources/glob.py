"""The `glob` source: image files beside the recipe, by pattern, in natural order.

A file is opened without blocking and read only if it is a regular one. Files that did not change
since an earlier scan are not read again (`index.py`), yet `read` always checks the bytes it hands
over against the hash that the plan was made with.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from relightflow.errors import UsageError
from relightflow.images import BadImage
from relightflow.model.image import Image, Rejected
from relightflow.plugins.records import SourceContext
from relightflow.plugins.source import StaleImage
from relightflow.sources.file_index import FileIndex, Known
from relightflow.sources.files import bytes_of, examine, in_words
from relightflow.sources.patterns import Patterns, natural_order
from relightflow.sources.walk import FoundFile, Unusable, Walk

_THREADS = min(4, os.cpu_count() or 1)
_BATCH = 64


class Glob:
    """See the module; `options` are those of `builtin.GLOB_SCHEMA`."""

    def __init__(self, context: SourceContext) -> None:
        self._number = context.index
        self._delivery = context.options.get("delivery", "")
        folder = os.path.realpath(context.folder)
        avoid = frozenset(os.path.realpath(place) for place in context.avoid)
        if folder in avoid:
            raise UsageError(
                "a sink writes directly into the recipe's folder, so its results would become "
                "inputs of the next run; use a separate folder for the sink"
            )
        include = context.options["include"]
        exclude = context.options.get("exclude", ())
        self._walk = Walk(folder, Patterns(include), Patterns(exclude, hidden=True), avoid)
        self._index = FileIndex.of(context.cache, (folder, *include, "", *exclude))

    def scan(self) -> Iterator[Image | Rejected]:
        found = sorted(self._walk.found(), key=lambda item: natural_order(item.name))
        self._index.load()
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="glob") as pool:
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

    def close(self) -> None:
        """Nothing is held between calls."""

    def _recalled(self, item: FoundFile | Unusable) -> Image | Rejected | None:
        """What can be said of `item` without reading it."""
        if isinstance(item, Unusable):
            return Rejected(_text(item.name), item.reason, self._number, item.refused)
        known = self._index.find(item.name, item.facts)
        return self._image(item, known) if known else None

    def _examined(self, item: FoundFile) -> Image | Rejected:
        try:
            known = examine(bytes_of(item.path))
        except (OSError, BadImage) as error:
            return Rejected(_text(item.name), in_words(error), self._number)
        self._index.add(item.name, item.facts, known)
        return self._image(item, known)

    def _image(self, item: FoundFile, known: Known) -> Image:
        return Image(
            name=_text(item.name),
            sha256=known.sha256,
            size=known.size,
            width=known.width,
            height=known.height,
            media_type=known.media_type,
            source=self._number,
            locator=item.path,
            delivery=self._delivery,
        )


def _stale(image: Image, what: str) -> str:
    return f"{image.name} {what}; run again to use its current content"


def _text(name: str) -> str:
    """A file name as text that can be written anywhere: bytes that are no UTF-8 become `\\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
