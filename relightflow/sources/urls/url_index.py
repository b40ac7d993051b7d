"""Remembers what was found at an address, so that asking again costs one conditional request.

One file for a project, an address a line, known by a hash: no address and no credential is ever
written. In memory are only the lines of the addresses at hand, as bytes, so that a hundred thousand
take little. What is remembered may be forgotten, and is not trusted: a damaged line is dropped.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from relightflow.errors import RefusedError
from relightflow.sources.file_index import Known, is_known_type
from relightflow.store.atomic import write_atomic

FILE = "urls.jsonl"
MOST = 200_000
"""Lines that are kept; beyond that, those that no recent scan asked for go."""
_HEAD = b'{"version":1}\n'
_BATCH = 1000
_LONGEST = 512
"""Characters of a validator; a longer one is not remembered."""


@dataclass(frozen=True, slots=True)
class Remembered:
    known: Known
    etag: str = ""
    modified: str = ""
    final: str = ""
    """`key` in hex of the address that answered, where that was another one."""


def key(url: str) -> bytes:
    """By which an address is remembered."""
    return sha256(url.encode("utf-8", "surrogatepass")).digest()[:16]


class UrlIndex:
    """Not for several threads at once, but for `find`."""

    def __init__(self, folder: Path | None) -> None:
        """None: remembers only until it is thrown away."""
        self._folder = folder
        self._lines: dict[bytes, bytes] = {}
        self._forgotten: set[bytes] = set()
        self._changed = False

    def load(self, keys: Iterable[bytes]) -> None:
        """Make what is known of `keys` ready to `find`."""
        wanted = set(keys)
        self._changed = False
        self._lines = {own: line for own, line in self._filed() if own in wanted}

    def find(self, own: bytes) -> Remembered | None:
        line = self._lines.get(own)
        return _read(line) if line else None

    def add(self, own: bytes, found: Remembered) -> None:
        validators = (found.etag, found.modified)
        if any(len(text) > _LONGEST or not text.isprintable() for text in validators):
            found = Remembered(found.known)
        row = [own.hex(), *astuple(found.known), found.etag, found.modified, found.final]
        line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        if self._lines.get(own) != line:
            self._lines[own] = line
            self._changed = True

    def forget(self, own: bytes) -> None:
        """What was remembered proved wrong: the next scan fetches again."""
        self._lines.pop(own, None)
        self._forgotten.add(own)
        self._changed = True

    def save(self) -> None:
        """Write down what is new; failing to is no failure."""
        if self._folder is None or not self._changed:
            return
        with contextlib.suppress(OSError, RefusedError):
            write_atomic(self._folder, FILE, self._content(), durable=False, private=True)
            self._changed = False

    def _content(self) -> Iterator[bytes]:
        yield _HEAD
        others = (
            line
            for own, line in self._filed()
            if own not in self._lines and own not in self._forgotten
        )
        room = max(0, MOST - len(self._lines))
        for lines in (iter(self._lines.values()), islice(others, room)):
            while batch := list(islice(lines, _BATCH)):
                yield b"".join(batch)

    def _filed(self) -> Iterator[tuple[bytes, bytes]]:
        """Key and line of everything in the file that looks like one."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError), (self._folder / FILE).open("rb") as file:
            if file.readline(len(_HEAD)) != _HEAD:
                return
            for line in file:
                with contextlib.suppress(ValueError):
                    yield bytes.fromhex(line[2:34].decode("ascii")), line


def _read(line: bytes) -> Remembered | None:
    try:
        _, digest, size, width, height, media_type, *texts = json.loads(line)
        etag, modified, final = texts
        numbers = all(type(n) is int and n > 0 for n in (size, width, height))
        words = all(isinstance(t, str) and t.isprintable() for t in texts)
        if not (numbers and words and is_known_type(media_type)):
            return None
        if len(digest) != 64 or digest != bytes.fromhex(digest).hex():
            return None
    except (ValueError, TypeError, RecursionError):
        return None
    return Remembered(Known(digest, size, width, height, media_type), etag, modified, final)
