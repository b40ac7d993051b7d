"""Whether git tracks a folder, read from git's index file without running git.

git itself is not asked: in a stranger's folder its configuration may name programs that it would run
(`core.fsmonitor`), and it may not be installed. Layout: git's own documentation, gitformat-index.
Versions 2 to 4, split indexes and both hash lengths are read; an index that cannot be read says
nothing, since git would not read it either.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MOST = 512 << 20
"""Bytes of an index that are read."""
_ENTRY = 40
"""Bytes of an entry before its hash."""
_EXTENDED = 0x4000
_SHA256 = re.compile(r"^\s*objectformat\s*=\s*sha256\s*$", re.IGNORECASE | re.MULTILINE)


def tracks(folder: Path) -> bool:
    """Whether the repository around `folder` (absolute) has it, or a file in it, in its index."""
    for top in folder.parents:
        if (top / ".git").exists():
            wanted = str(folder.relative_to(top)).encode("utf-8", "surrogateescape")
            return any(
                path == wanted or path.startswith(wanted + b"/") for path in _paths(top / ".git")
            )
    return False


def _git_dir(mark: Path) -> Path:
    """The repository that `.git` stands for: itself, or the one a worktree's or submodule's file
    names."""
    with suppress(OSError, UnicodeError):
        if mark.is_file():
            said = mark.read_bytes()[:4096].decode().strip()
            if said.startswith("gitdir:"):
                return mark.parent / said.removeprefix("gitdir:").strip()
    return mark


def _paths(mark: Path) -> Iterator[bytes]:
    here = _git_dir(mark)
    common = here
    with suppress(OSError, UnicodeError):
        common = here / (here / "commondir").read_bytes()[:4096].decode().strip()
    length = 20
    with suppress(OSError, UnicodeError):
        if _SHA256.search((common / "config").read_bytes()[: 1 << 20].decode("utf-8", "replace")):
            length = 32
    for index in (here / "index", *sorted(here.glob("sharedindex.*"))):
        with suppress(OSError, struct.error, ValueError, IndexError):
            yield from entries(_bytes(index), length)


def _bytes(index: Path) -> bytes:
    with index.open("rb") as file:
        return file.read(MOST)


def entries(data: bytes, hash_length: int = 20) -> Iterator[bytes]:
    """The paths in an index. Raises ValueError, struct.error or IndexError where it makes no sense."""
    signature, version, count = struct.unpack_from(">4sII", data)
    if signature != b"DIRC" or version not in (2, 3, 4):
        raise ValueError("not an index of git")
    at, path = 12, b""
    for _ in range(count):
        begin = at
        flags_at = at + _ENTRY + hash_length
        (flags,) = struct.unpack_from(">H", data, flags_at)
        at = flags_at + (4 if version > 2 and flags & _EXTENDED else 2)
        if version == 4:
            strip, at = _number(data, at)
            if strip > len(path):
                raise ValueError("a path longer than its prefix allows")
            end = data.index(0, at)
            path = path[: len(path) - strip] + data[at:end]
            at = end + 1
        else:
            end = data.index(0, at)
            path = data[at:end]
            at = begin + (end - begin) // 8 * 8 + 8
        yield path


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number as pack files write offsets, and where it ends."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = (value + 1) << 7 | data[at] & 0x7F
    return value, at + 1
