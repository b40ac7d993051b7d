"""Remembers what a file's bytes were, so that a file that did not change is not read again.

The rule is that of git's index (git's technical/racy-git): a file is believed to be unchanged where
its size, times and inode are those that were noted, and where it was last touched well before the
note was written; a change in the same instant might not show in its times. What is remembered
may be forgotten: a damaged or missing index only costs reading again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from relightflow.errors import RefusedError
from relightflow.images.optional import OTHERS, is_installed
from relightflow.model.image import Image
from relightflow.store.atomic import write_atomic

_VERSION = 1
_MARGIN = 2_000_000_000
"""Nanoseconds: the coarsest clock of a file system in use (FAT)."""
_MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")


def is_known_type(media_type: object) -> bool:
    """Whether images of this type are taken now: an extra may have gone since it was noted."""
    return media_type in _MEDIA_TYPES or (media_type in OTHERS.values() and is_installed())


@dataclass(frozen=True, slots=True)
class Known:
    """What the bytes of one file say."""

    sha256: str
    size: int
    width: int
    height: int
    media_type: str

    def image(
        self, name: str, source: int, locator: str, delivery: str = "", url: str = ""
    ) -> Image:
        """The file as an input: as `name`, of the recipe's source number `source`."""
        return Image(
            name=name,
            sha256=self.sha256,
            size=self.size,
            width=self.width,
            height=self.height,
            media_type=self.media_type,
            source=source,
            locator=locator,
            delivery=delivery,
            url=url,
        )


_Stat = tuple[int, int, int, int]


class FileIndex:
    """File name → stat facts and what was known; safe for threads (each adds its own names)."""

    def __init__(self, folder: Path | None, file: str) -> None:
        self._folder, self._file = folder, file
        self._old: dict[str, tuple[_Stat, Known]] = {}
        self._new: dict[str, tuple[_Stat, Known]] = {}
        self._written = 0

    @classmethod
    def of(cls, folder: Path | None, identity: Iterable[str]) -> FileIndex:
        """The index of one source, in the cache `folder`; `identity` tells it from others."""
        digest = hashlib.sha256(os.fsencode("\0".join(identity))).hexdigest()
        return cls(folder, f"glob-{digest[:16]}.json")

    def load(self) -> None:
        """Read what an earlier scan left; nothing where there is none, or it makes no sense."""
        self._old, self._new, self._written = {}, {}, 0
        if self._folder is None:
            return
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            path = self._folder / self._file
            content = json.loads(path.read_bytes())
            if content["version"] == _VERSION:
                self._old = {name: _entry(row) for name, row in content["files"].items()}
                self._written = path.stat().st_mtime_ns

    def find(self, name: str, facts: os.stat_result) -> Known | None:
        """What is known of `name`, if `facts` (of lstat) say that it is untouched."""
        entry = self._old.get(name)
        settled = max(facts.st_mtime_ns, facts.st_ctime_ns) + _MARGIN < self._written
        if entry is None or not settled or entry[0] != _stat(facts):
            return None
        self._new[name] = entry
        return entry[1]

    def add(self, name: str, facts: os.stat_result, known: Known) -> None:
        """Note what `name` holds. `facts` must have been taken before its bytes were read."""
        self._new[name] = (_stat(facts), known)

    def save(self) -> None:
        """Write down what this scan saw, if it differs from before; failing to is no failure."""
        fresh = any(self._old.get(name) is not entry for name, entry in self._new.items())
        if self._folder is None or not (fresh or len(self._old) != len(self._new)):
            return
        files = {name: [*facts, *astuple(known)] for name, (facts, known) in self._new.items()}
        data = json.dumps({"version": _VERSION, "files": files}, separators=(",", ":")).encode()
        with contextlib.suppress(OSError, RefusedError):
            write_atomic(self._folder, self._file, data, durable=False, private=True)


def untouched(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether a file that was looked at twice is the same one with the same content, as far as that shows."""
    return _stat(before) == _stat(after)


def _stat(facts: os.stat_result) -> _Stat:
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino


def _entry(row: list[Any]) -> tuple[_Stat, Known]:
    """One row of the file, checked: what lies in a cache is not trusted. Raises ValueError."""
    size, mtime, ctime, inode, sha256, length, width, height, media_type = row
    numbers = (size, mtime, ctime, inode, length, width, height)
    good = all(type(number) is int for number in numbers) and min(size, width, height) > 0
    if not (good and is_known_type(media_type) and len(bytes.fromhex(sha256)) == 32):
        raise ValueError(row)
    return (size, mtime, ctime, inode), Known(sha256, length, width, height, media_type)
