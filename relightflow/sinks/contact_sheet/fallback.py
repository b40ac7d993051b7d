"""Finds a font for characters that the shipped one lacks: a named one first, then one of this system.

`RELIGHTFLOW_FONTS` and the sink's option `font` name files. What a file can show is read from its own
table of characters, so that no library and no tool of one system is needed.

Layout: OpenType 1.9.1, "cmap", formats 4 and 12, and "Font Collections".
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

VARIABLE = "RELIGHTFLOW_FONTS"
_FOLDERS = (
    "~/.local/share/fonts", "~/.fonts", "/usr/local/share/fonts", "/usr/share/fonts",
    "~/Library/Fonts", "/Library/Fonts", "/System/Library/Fonts",
)  # fmt: skip
_ENDS = (".ttf", ".otf", ".ttc", ".otc")
_MOST_FILES, _MOST_BYTES, _MOST_RANGES = 5000, 4 << 20, 100_000
_LAST = (
    "serif",
    "mono",
    "bold",
    "italic",
    "oblique",
    "black",
    "light",
    "thin",
    "condensed",
    "color",
)
"""Parts of the names of fonts that look other than the shipped one."""
_NEVER = ("lastresort", "notdef", "adobeblank")
"""They cover everything, with boxes."""

_named: ContextVar[tuple[Path, ...]] = ContextVar("named fonts", default=())


@contextmanager
def named(paths: Sequence[Path], environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Within, fonts are looked for in `paths` first, then in those of the environment."""
    given = environ.get(VARIABLE, "")
    own = [Path(text).expanduser() for text in given.split(os.pathsep) if text.strip()]
    token = _named.set((*paths, *own))
    try:
        yield
    finally:
        _named.reset(token)


def font_for(character: str) -> Path | None:
    """The file of a font that shows `character`; None: there is none."""
    return _font_for(ord(character), _named.get())


@lru_cache(maxsize=8192)
def _font_for(code: int, first: tuple[Path, ...]) -> Path | None:
    return next((path for path in (*first, *_installed()) if _covers(path, code)), None)


@lru_cache(maxsize=1)
def _installed() -> tuple[Path, ...]:
    """Every font of this system, those that look like the shipped one first."""
    found: list[Path] = []
    for folder in _FOLDERS:
        for where, folders, files in os.walk(Path(folder).expanduser()):
            folders.sort()
            found += (Path(where, name) for name in files if name.lower().endswith(_ENDS))
            if len(found) > _MOST_FILES:
                break
    usable = [path for path in found if not any(word in path.name.lower() for word in _NEVER)]
    return tuple(sorted(dict.fromkeys(usable), key=_preference))


def _preference(path: Path) -> tuple[bool, int, str, str]:
    name = path.stem.lower()
    like = next((n for n, start in enumerate(("notosans", "noto")) if name.startswith(start)), 2)
    return any(word in name for word in _LAST), like, name, str(path)


def shows(path: Path, character: str) -> bool:
    """Whether the font in `path` has `character`."""
    return _covers(path, ord(character))


def _covers(path: Path, code: int) -> bool:
    starts, ends = _ranges(path)
    at = bisect_right(starts, code) - 1
    return at >= 0 and code <= ends[at]


@lru_cache(maxsize=_MOST_FILES)
def _ranges(path: Path) -> tuple[Sequence[int], Sequence[int]]:
    """First and last code of each range of characters that a font shows, in order."""
    found: set[tuple[int, int]] = set()
    with suppress(OSError, struct.error, ValueError), path.open("rb") as file:
        for table in _tables(file):
            found.update(_read(table))
    inside = sorted(pair for pair in found if pair[0] <= pair[1])
    merged: list[tuple[int, int]] = []
    for start, end in inside:
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return [start for start, _ in merged], [end for _, end in merged]


def _tables(file: BinaryIO) -> Iterator[bytes]:
    """The tables of characters of the file's first font."""
    start = 0
    if file.read(4) == b"ttcf":
        file.seek(12)
        (start,) = struct.unpack(">I", file.read(4))
    file.seek(start + 4)
    (count,) = struct.unpack(">H6x", file.read(8))
    for tag, offset, length in struct.iter_unpack(">4s4xII", file.read(16 * count)):
        if tag != b"cmap":
            continue
        file.seek(offset)
        cmap = file.read(min(length, _MOST_BYTES))
        (subtables,) = struct.unpack_from(">2xH", cmap)
        for number in range(subtables):
            platform, encoding, at = struct.unpack_from(">HHI", cmap, 4 + 8 * number)
            if platform == 0 or (platform, encoding) in ((3, 1), (3, 10)):
                yield cmap[at:]


def _read(table: bytes) -> Iterator[tuple[int, int]]:
    (form,) = struct.unpack_from(">H", table)
    if form == 12:
        (groups,) = struct.unpack_from(">I", table, 12)
        for number in range(min(groups, _MOST_RANGES)):
            start, end, glyph = struct.unpack_from(">III", table, 16 + 12 * number)
            yield start + (not glyph), end
    elif form == 4:
        (doubled,) = struct.unpack_from(">H", table, 6)
        count = doubled // 2
        ends = struct.unpack_from(f">{count}H", table, 14)
        starts = struct.unpack_from(f">{count}H", table, 16 + doubled)
        yield from ((start, end) for start, end in zip(starts, ends, strict=True) if start < 0xFFFF)
