"""Decides which paths a glob source means: patterns in, a walkable set of states out.

`*`, `?` and `[…]` match within one name, `**` any number of folders; a trailing `**` means every
file below. Names that begin with a dot are matched only where the pattern's part begins with one.
Matching is by case, except in extensions (`*.jpg` means `A.JPG`), and by the exact characters. Pure: no
file system here.
"""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from relightflow.errors import UsageError

States = frozenset[tuple[int, int]]
"""(pattern, part) pairs that the next name may match: where each pattern stands in a folder."""

_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Match:
    """What a name is to a set of patterns."""

    inner: States
    """How the patterns go on if the name is a folder; empty: nothing below can match."""
    whole: bool
    """A pattern ends here: the name itself is meant."""
    literal: bool
    """A pattern spells this name out (no wildcard stood for all of it)."""
    ended: frozenset[int] = frozenset()
    """Indices of the patterns that end here."""
    named: bool = False
    """A pattern that ends here spells out all of its name, without a wildcard."""


class Patterns:
    """Several patterns, matched together in one walk."""

    def __init__(self, patterns: Iterable[str | tuple[str, ...]], *, hidden: bool = False) -> None:
        """Each is a pattern or its parts. `hidden`: wildcards match names that begin with a dot as well
        (for excludes). Raises UsageError for a pattern that could lead out of its folder."""
        self._patterns = tuple(p if isinstance(p, tuple) else split(p) for p in patterns)
        self._hidden = hidden

    def start(self) -> States:
        """The states in the top folder."""
        return self._settled((index, 0) for index in range(len(self._patterns)))

    def step(self, states: States, name: str) -> Match:
        """What `name`, met in a folder with `states`, is to the patterns."""
        inner: set[tuple[int, int]] = set()
        ended: set[int] = set()
        literal = named = False
        for index, at in states:
            parts = self._patterns[index]
            part, last = parts[at], at == len(parts) - 1
            if part == "**":
                if self._hidden or not name.startswith("."):
                    inner.add((index, at))
                    if last:
                        ended.add(index)
            elif _matches(part, name, self._hidden):
                literal |= part.strip("*") != ""
                if last:
                    ended.add(index)
                    named |= not _MAGIC.search(part)
                else:
                    inner.add((index, at + 1))
        return Match(self._settled(inner), bool(ended), literal, frozenset(ended), named)

    def end_in(self, states: States) -> bool:
        """Whether a pattern means names of the very folder with `states`."""
        return any(at == len(self._patterns[index]) - 1 for index, at in states)

    @property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The parts of each pattern."""
        return self._patterns

    def _settled(self, states: Iterable[tuple[int, int]]) -> States:
        """`**` also stands for no folder at all, so the part after it is live at once."""
        live = set()
        for index, at in states:
            live.add((index, at))
            parts = self._patterns[index]
            while parts[at] == "**" and at + 1 < len(parts):
                at += 1
                live.add((index, at))
        return frozenset(live)


def split(pattern: str) -> tuple[str, ...]:
    """The parts of a pattern. Raises UsageError for one that could lead out of its folder."""
    parts = tuple(part for part in pattern.split("/") if part not in ("", "."))
    if pattern.startswith("/") or ".." in parts or "\0" in pattern or not parts:
        raise UsageError(
            f"the pattern {pattern!r} is not allowed: patterns must stay inside their folder"
        )
    return parts


def natural_order(path: str) -> tuple[object, ...]:
    """A sort key by which people order files: `img2` before `img10`, whatever the letter case.

    Names that differ only in case or Unicode form are told apart by their exact characters.
    """
    parts = unicodedata.normalize("NFC", path).casefold().split("/")
    return tuple(_numbers_apart(part) for part in parts), path


def _numbers_apart(name: str) -> tuple[tuple[str, int], ...]:
    pieces = re.split(r"([0-9]+)", name)
    texts, digits = pieces[::2], pieces[1::2]
    return tuple(zip(texts, [int(run) for run in digits] + [-1], strict=True))


@lru_cache(maxsize=1024)
def _compiled(part: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(part))


def _matches(part: str, name: str, hidden: bool) -> bool:
    if not _MAGIC.search(part):
        return _folded(part) == _folded(name)
    if name.startswith(".") and not part.startswith(".") and not hidden:
        return False
    if _compiled(part).match(name):
        return True
    return _compiled(_folded(part)).match(_folded(name)) is not None


@lru_cache(maxsize=65536)
def _folded(name: str) -> str:
    """`name` with its extension in lower case."""
    stem, dot, end = name.rpartition(".")
    return f"{stem}.{end.lower()}" if dot and stem else name
