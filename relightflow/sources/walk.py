"""Walks a folder of the project for the files that patterns mean, and says why one cannot be used.

Folders behind symbolic links are entered only where a pattern names the link and it stays inside
the project, so that no loop can form; a link to a file is followed only if the file lies inside the
project. `.relightflow` and the folders that the recipe's sinks write to are never looked into.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from relightflow.images.filetypes import belongs_to_images, is_image
from relightflow.sources.patterns import Match, Patterns, States

_STATE = ".relightflow"
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file that a pattern means."""

    name: str
    """Relative to the walk's folder, as the file system spells it."""
    path: str
    """Where to open it: no link is left in it."""
    facts: os.stat_result
    named: bool = False
    """The recipe spells its very name out."""


@dataclass(frozen=True, slots=True)
class Unmeant:
    """A file beside those that patterns mean."""

    name: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something that a pattern means and that is no file to read."""

    name: str
    reason: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder still to be listed, and how far the patterns have come on the way to it."""

    path: str
    prefix: str
    include: States
    exclude: States
    links: frozenset[str] = frozenset()
    """Folders that were entered through links on the way; entering one again would be a loop."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk over `folder`. Iterate `found()`; its order is the file system's, so sort it."""

    folder: str
    """Absolute and free of links."""
    include: Patterns
    exclude: Patterns
    avoid: frozenset[str] = frozenset()
    """Absolute folders, free of links, that are never entered."""
    matched: set[int] = field(default_factory=set)
    """Filled while walking: indices of the patterns of `include` that meant something."""
    excluded: set[int] = field(default_factory=set)
    """The same, of what was excluded."""
    within: str = ""
    """The project's root, absolute and free of links, which no link may leave; empty: `folder`."""

    def found(self) -> Iterator[FoundFile | Unusable | Unmeant]:
        ahead = [_Folder(self.folder, "", self.include.start(), self.exclude.start())]
        while ahead:  # a list and not recursion: folders may be nested a thousand deep
            for item in self._listed(ahead.pop()):
                if isinstance(item, _Folder):
                    ahead.append(item)
                else:
                    yield item

    def _listed(self, folder: _Folder) -> Iterator[FoundFile | Unusable | Unmeant | _Folder]:
        try:
            with os.scandir(folder.path) as entries:
                listed = list(entries)
        except OSError as error:
            yield Unusable(folder.prefix.rstrip("/") or ".", f"cannot be listed: {error.strerror}")
            return
        ends = self.include.end_in(folder.include)
        for entry in listed:
            if entry.name == _STATE:
                continue
            match = self.include.step(folder.include, entry.name)
            out = self.exclude.step(folder.exclude, entry.name)
            if out.whole:
                self.excluded.update(match.ended)
                continue
            item = None
            if match.whole or match.inner:
                item = self._entry(folder, entry, match, out.inner)
            if item:
                if not isinstance(item, _Folder):
                    self.matched.update(match.ended)
                yield item
            elif ends and not match.whole and self._lies_there(entry):
                yield Unmeant(folder.prefix + entry.name)

    def _lies_there(self, entry: os.DirEntry[str]) -> bool:
        """Whether a file that no pattern means is worth a word: an image, or what belongs to images."""
        hidden = entry.name.startswith(".")
        return not hidden and belongs_to_images(entry.name) and entry.is_file(follow_symlinks=False)

    def _entry(
        self, folder: _Folder, entry: os.DirEntry[str], match: Match, exclude: States
    ) -> FoundFile | Unusable | _Folder | None:
        """What one name is: a file that is meant, a folder to go on in, or nothing of ours."""
        name, path, links = folder.prefix + entry.name, entry.path, folder.links
        try:
            facts = entry.stat(follow_symlinks=False)
        except OSError as error:  # it vanished since it was listed, or may not be looked at
            return Unusable(name, f"cannot be read: {error.strerror}")
        linked = stat.S_ISLNK(facts.st_mode)
        if linked:
            followed = self._followed(path, name)
            if isinstance(followed, Unusable):
                return followed if match.whole or match.literal else None
            path, facts = followed
            if path in links:
                return None
            links |= {path}
        if not stat.S_ISDIR(facts.st_mode):
            return _file(name, path, facts, match.named) if match.whole else None
        if path in self.avoid:
            return Unusable(name, _WRITTEN_TO) if match.literal else None
        if match.inner and (match.literal or not linked):
            return _Folder(path, name + "/", match.inner, exclude, links)
        told = match.named or (match.whole and is_image(name))
        return _file(name, path, facts, match.named) if told else None

    def _followed(self, path: str, name: str) -> tuple[str, os.stat_result] | Unusable:
        """Where a link leads, if that is inside the project."""
        try:
            real = os.path.realpath(path, strict=True)
            facts = os.lstat(real)
        except OSError:
            return Unusable(name, "broken symbolic link")
        within = self.within or self.folder
        if not real.startswith(within.rstrip("/") + "/") or f"/{_STATE}/" in real + "/":
            return Unusable(name, _LEADS_OUT, refused=True)
        return real, facts


IS_FOLDER = "a folder, not an image"
_LEADS_OUT = (
    "symbolic link that leaves the recipe's project, and a recipe can read only what is inside it; copy "
    "the images there"
)
_WRITTEN_TO = (
    "a sink of this recipe writes here, so results would become inputs; use a separate folder "
    "for the sink"
)


def _file(name: str, path: str, facts: os.stat_result, named: bool) -> FoundFile | Unusable:
    if stat.S_ISREG(facts.st_mode):
        return FoundFile(name, path, facts, named)
    if stat.S_ISDIR(facts.st_mode):
        return Unusable(name, IS_FOLDER)
    kind = _KINDS.get(stat.S_IFMT(facts.st_mode), "not a regular file")
    return Unusable(name, f"{kind}, not an image")
