"""Chooses paths of a listing by the patterns of a source, and says which patterns chose nothing.

For sources whose files a listing names: a manifest, an object store. What the patterns mean is what they mean
for `glob`, so `*` stays within one folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from relightflow.sources.patterns import Patterns
from relightflow.sources.unmatched import folders_shown, groups, named

_KEPT = 5_000
"""Paths that are looked through for what a pattern may have meant."""


class Listing:
    """Fed with every path, in any order."""

    def __init__(
        self, include: Patterns, exclude: Patterns, written: Sequence[str], noun: str
    ) -> None:
        """`written`: the patterns of `include` as the recipe has them; none if it has none, and then nothing is
        to be said of them. `noun`: what a path stands for, as `objects`."""
        self._include, self._exclude = include, exclude
        self._written, self._noun = tuple(written), noun
        self._matched: set[int] = set()
        self._excluded: set[int] = set()
        self._paths: list[str] = []
        self._count = 0

    def means(self, path: str) -> bool:
        """Whether the recipe means `path`, which is remembered as part of the listing."""
        self._count += 1
        if self._written and len(self._paths) < _KEPT:
            self._paths.append(path)
        ended = _ended(self._include, path)
        if not ended:
            return False
        out = self.excludes(path)
        (self._excluded if out else self._matched).update(ended)
        return not out

    def excludes(self, path: str) -> bool:
        """Whether a pattern of `exclude` stands for `path` or a folder above it."""
        states = self._exclude.start()
        for name in path.split("/"):
            match = self._exclude.step(states, name)
            if match.whole:
                return True
            states = match.inner
        return False

    def unmatched(self) -> Iterator[str]:
        """What to tell about the patterns that chose nothing of the whole listing."""
        if not self._written:
            return
        for indices in groups(self._include.parts):
            if any(index in self._matched for index in indices):
                continue
            first = self._written[indices[0]]
            words = named(first, len(indices))
            if any(index in self._excluded for index in indices):
                yield f"{words} matches only what 'exclude' takes out"
            elif not self._count:
                yield f"{words} matches nothing: there are no {self._noun}"
            else:
                yield f"{words} matches none of the {self._count:,} {self._noun}{self._hint(first)}"

    def _hint(self, written: str) -> str:
        if "\\" in written:
            return ": write '/' between folders, not '\\'"
        deep = f"**/{written}"
        if any(_ended(Patterns([deep]), path) for path in self._paths):
            return f", which are in folders: write '{deep}' for those in any folder"
        tops = sorted({path.split("/")[0] for path in self._paths if "/" in path})
        return f", which are in {folders_shown(tops)}" if tops else ""


def _ended(patterns: Patterns, path: str) -> frozenset[int]:
    """The patterns that stand for `path` itself."""
    *folders, name = path.split("/")
    states = patterns.start()
    for folder in folders:
        states = patterns.step(states, folder).inner
    return patterns.step(states, name).ended
