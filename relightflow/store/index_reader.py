"""Reads the blob store's index from where it was last read to.

A position is an offset in bytes and the sha256 of what stands just before it, so that an index which
was replaced or cut short since is noticed and read as a whole.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from relightflow.errors import StorageError
from relightflow.store.blobs import INDEX
from relightflow.store.index_attempts import is_sound
from relightflow.store.index_entry import decoded

_TAIL = 4096


@dataclass(frozen=True, slots=True)
class IndexPosition:
    offset: int = 0
    tail: str = hashlib.sha256(b"").hexdigest()
    """sha256 of the last bytes (up to 4096) before `offset`."""


START = IndexPosition()


@dataclass(frozen=True, slots=True)
class IndexPart:
    """What stands between two positions."""

    entries: tuple[dict[str, Any], ...]
    """Oldest first; damaged lines are left out."""
    end: IndexPosition
    whole: bool
    """It begins with the first line."""
    nonsense: int
    """Damaged lines."""


def read_since(root: Path, position: IndexPosition) -> IndexPart:
    """What was appended to the index in `root` after `position`; everything, where the index is not
    the one that `position` is of. A last line without its end is left for the next time.

    Raises StorageError where it cannot be read.
    """
    try:
        with (root / INDEX).open("rb") as file:
            start = position if _at(file, position.offset) == position else START
            file.seek(start.offset)
            lines = file.read().split(b"\n")
            end = start.offset + sum(map(len, lines)) + len(lines) - 1 - len(lines[-1])
            entries, nonsense = _parsed(lines[:-1])
            return IndexPart(entries, _at(file, end), not start.offset, nonsense)
    except FileNotFoundError:
        return IndexPart((), START, whole=True, nonsense=0)
    except OSError as error:
        raise StorageError(
            f"the index of {root} cannot be read ({error.strerror}); nothing was sent"
        ) from error


def position_at(root: Path, offset: int) -> IndexPosition:
    """The position `offset` bytes into the index in `root`. Raises OSError."""
    with (root / INDEX).open("rb") as file:
        return _at(file, offset)


def _at(file: IO[bytes], offset: int) -> IndexPosition:
    """The position at `offset`; START where the file ends before it."""
    if offset > os.fstat(file.fileno()).st_size:
        return START
    begin = max(0, offset - _TAIL)
    tail = os.pread(file.fileno(), offset - begin, begin)
    return IndexPosition(offset, hashlib.sha256(tail).hexdigest())


def _parsed(lines: list[bytes]) -> tuple[tuple[dict[str, Any], ...], int]:
    entries = []
    nonsense = 0
    for line in lines:
        if not line:
            continue  # begun after a torn line
        entry = decoded(line)
        if entry is not None and is_sound(entry):
            entries.append(entry)
        else:
            nonsense += 1
    return tuple(entries), nonsense
