"""Remembers what an object's bytes were, so that an object that did not change is not read again.

An object is believed to be unchanged where its size and ETag are those that were noted. What is
remembered may be forgotten: a damaged or missing file only costs reading again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

from relightflow.errors import RefusedError
from relightflow.sources.file_index import Known, is_known_type
from relightflow.store.atomic import write_atomic

_VERSION = 1


class Etags:
    """Object name → ETag and what was known; safe for threads (each adds its own names)."""

    def __init__(self, folder: Path | None, place: str) -> None:
        """`place`: whose objects they are; tells one source's file from another's."""
        digest = hashlib.sha256(place.encode()).hexdigest()
        self._folder, self._file = folder, f"objects-{digest[:16]}.json"
        self._old: dict[str, tuple[str, Known]] = {}
        self._new: dict[str, tuple[str, Known]] = {}

    def load(self) -> None:
        """Read what an earlier scan left; nothing where there is none, or it makes no sense."""
        self._old, self._new = {}, {}
        if self._folder is None:
            return
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            content = json.loads((self._folder / self._file).read_bytes())
            if content["version"] == _VERSION:
                self._old = {name: _entry(row) for name, row in content["objects"].items()}

    def known(self) -> Iterator[tuple[str, str, Known]]:
        """Name, ETag and what is known of all that an earlier scan saw."""
        return ((name, etag, known) for name, (etag, known) in self._old.items())

    def find(self, name: str, etag: str, size: int) -> Known | None:
        """What is known of `name`, if it is untouched."""
        entry = self._old.get(name)
        if not entry or not etag or entry[0] != etag or entry[1].size != size:
            return None
        self._new[name] = entry
        return entry[1]

    def add(self, name: str, etag: str, known: Known) -> None:
        if etag:
            self._new[name] = (etag, known)

    def save(self) -> None:
        """Write down what this scan saw, if it differs from before; failing to is no failure."""
        if self._folder is None or self._new == self._old:
            return
        objects = {name: [etag, *astuple(known)] for name, (etag, known) in self._new.items()}
        data = json.dumps({"version": _VERSION, "objects": objects}, separators=(",", ":"))
        with contextlib.suppress(OSError, RefusedError):
            write_atomic(self._folder, self._file, data.encode(), durable=False, private=True)


def _entry(row: list[Any]) -> tuple[str, Known]:
    """One row of the file, checked: what lies in a cache is not trusted. Raises ValueError."""
    etag, sha256, size, width, height, media_type = row
    numbers = (size, width, height)
    good = isinstance(etag, str) and all(type(number) is int for number in numbers)
    if not (good and min(numbers) > 0 and is_known_type(media_type)):
        raise ValueError(row)
    if len(bytes.fromhex(sha256)) != 32:
        raise ValueError(row)
    return etag, Known(sha256, size, width, height, media_type)
