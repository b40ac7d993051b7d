"""The `manifest` source: the images that another recipe made, so that recipes chain.

Taken are the manifest's finished outputs that lie beside it, in its order, each under its path. A
file counts only if it is, byte for byte, what the manifest says: one that was edited since is named
and left out. Reads nothing outside the manifest's folder, and follows no link in it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from relightflow.core.filenames import safe_path
from relightflow.errors import RefusedError, UsageError
from relightflow.images import BadImage
from relightflow.model.image import Found, Image, Rejected, Remark
from relightflow.plugins.executor import Task, TaskRefused
from relightflow.plugins.records import SourceContext
from relightflow.plugins.source import StaleImage
from relightflow.sources.file_index import FileIndex, Known, untouched
from relightflow.sources.files import READ, bytes_of, examine, in_words
from relightflow.sources.listing import Listing
from relightflow.sources.patterns import Patterns
from relightflow.store.atomic import opened_folder, parts_of

_LONGEST = 1 << 20
"""Bytes of one line."""
_FORMAT = 1
_BATCH = 64
"""Images that workers are asked for at a time."""
_CHANGED = (
    "its content does not match the manifest: it was edited, or the manifest belongs to another run"
)


@dataclass(frozen=True, slots=True)
class _Output:
    """One finished image, as the manifest tells of it. Untrusted."""

    path: str
    sha256: str


class Manifest:
    """See the module; `options` are those of `builtin.MANIFEST_SCHEMA`."""

    def __init__(self, context: SourceContext) -> None:
        options = context.options
        self._number = context.index
        self._told: str = options["path"]
        self._delivery = options.get("delivery", "")
        self._ask = context.ask
        self._path, self._folder = _located(context, self._told)
        if self._folder in (os.path.realpath(place) for place in context.avoid):
            raise UsageError(
                f"{self._told}: a sink of this recipe writes there, so results would become "
                "inputs; use another folder for the sink"
            )
        self._patterns: tuple[str, ...] = tuple(options.get("include", ()))
        self._include = Patterns(self._patterns or ("**",), hidden=not self._patterns)
        self._exclude = Patterns(options.get("exclude", ()), hidden=True)
        self._index = FileIndex.of(context.cache, ("manifest", self._path))

    def scan(self) -> Iterator[Found]:
        self._index.load()
        listing = Listing(self._include, self._exclude, self._patterns, "images in the manifest")
        wanted = self._wanted(listing)
        if self._ask is None:
            yield from map(self._found, wanted)
        else:
            with ThreadPoolExecutor(_BATCH, thread_name_prefix="manifest") as pool:
                while batch := tuple(islice(wanted, _BATCH)):
                    yield from pool.map(self._found, batch)
        yield from (Remark(words, "include", self._number) for words in listing.unmatched())
        self._index.save()

    def _wanted(self, listing: Listing) -> Iterator[_Output]:
        """Every output that is meant, once."""
        seen: set[str] = set()
        for output in self._outputs():
            if listing.means(output.path) and output.path not in seen:
                seen.add(output.path)
                yield output

    def read(self, image: Image) -> bytes:
        try:
            data, _ = self._read(image.locator)
        except (OSError, BadImage, RefusedError) as error:
            words = f"{image.name} can no longer be read ({in_words(error)})"
            raise StaleImage(f"{words}; run the recipe that creates it again") from None
        if hashlib.sha256(data).hexdigest() != image.sha256:
            raise StaleImage(f"{image.name} changed after it was planned; run again")
        return data

    def reader(self, image: Image) -> Callable[[], bytes]:
        return partial(_bytes_below, self._folder, image.locator)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _found(self, output: _Output) -> Image | Rejected:
        name = safe_path(output.path)
        try:
            known = self._known(output)
        except RefusedError as error:
            return Rejected(name, str(error), self._number, refused=True)
        except (OSError, BadImage) as error:
            return Rejected(name, in_words(error), self._number)
        if known.sha256 != output.sha256:
            return Rejected(name, _CHANGED, self._number)
        return known.image(name, self._number, output.path, self._delivery)

    def _known(self, output: _Output) -> Known:
        *folders, name = parts_of(output.path)
        with opened_folder(self._folder, folders) as folder:
            facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
        known = self._index.find(output.path, facts)
        if known is None and (known := self._apart(output, facts)):
            self._index.add(output.path, facts, known)
        if known is None:
            data, facts = self._read(output.path)
            known = examine(data)
            self._index.add(output.path, facts, known)
        return known

    def _apart(self, output: _Output, facts: os.stat_result) -> Known | None:
        """What a worker says of a file that has not changed meanwhile; None: it is read here. Raises OSError."""
        if self._ask is None:
            return None
        given = (self._folder, output.path, facts.st_size, facts.st_mtime_ns)
        known = self._ask(Task("examine", _examined_apart, given))
        *folders, name = parts_of(output.path)
        with opened_folder(self._folder, folders) as folder:
            now = os.stat(name, dir_fd=folder, follow_symlinks=False)
        return known if known and known.size == facts.st_size and untouched(facts, now) else None

    def _read(self, path: str) -> tuple[bytes, os.stat_result]:
        *folders, name = parts_of(path)
        with opened_folder(self._folder, folders) as folder:
            facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
            return bytes_of(name, folder), facts

    def _outputs(self) -> Iterator[_Output]:
        """Raises UsageError where the manifest is none."""
        try:
            file = os.fdopen(os.open(self._path, READ), "rb")
        except OSError as error:
            raise UsageError(
                f"{self._told}: it cannot be read ({error.strerror}); run the recipe that creates "
                "it first"
            ) from None
        with file:
            number = 0
            while line := file.readline(_LONGEST + 1):
                number += 1
                output = self._output(line, number)
                if output:
                    yield output

    def _output(self, line: bytes, number: int) -> _Output | None:
        """The finished image that a line tells of, if it does."""
        try:
            record: Any = json.loads(line) if len(line) <= _LONGEST else None
            kind = record["record"]
            sound = number > 1 or (kind == "recipe" and record["format"] == _FORMAT)
            done = kind == "output" and record["status"] == "done" and "path" in record
            path, sha256 = (record["path"], record["sha256"]) if done else ("", "")
            path.encode()
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            sound = False
        if not sound:
            words = f"not a manifest record of format {_FORMAT}"
            raise UsageError(f"{self._told}:{number}: {words}")
        return _Output(path, sha256) if done else None


def _bytes_below(folder: str, path: str) -> bytes:
    """The file at `path` below `folder`, without following a link. Raises OSError, RefusedError, BadImage."""
    *folders, name = parts_of(path)
    with opened_folder(folder, folders) as inner:
        return bytes_of(name, inner)


def _examined_apart(folder: str, path: str, size: int, modified: int) -> Known:
    """Done by a worker, on the file that the run sees. Raises TaskRefused for whatever the run had better look
    at itself. `modified`: nanoseconds."""
    *folders, name = parts_of(path)
    try:
        with opened_folder(folder, folders) as inner:
            facts = os.stat(name, dir_fd=inner, follow_symlinks=False)
            if (facts.st_size, facts.st_mtime_ns) != (size, modified):
                raise TaskRefused("a worker sees another file of the same name")
            return examine(bytes_of(name, inner))
    except (OSError, BadImage, RefusedError) as problem:
        raise TaskRefused(f"a worker could not read an input image ({in_words(problem)})") from None


def _located(context: SourceContext, told: str) -> tuple[str, str]:
    """The manifest's own path and folder, links followed, if they stay in the recipe's project."""
    path = Path(os.path.realpath(context.place(told)))
    context.check_inside(path, told)
    return str(path), str(path.parent)
