"""The project of a recipe, which is all that the recipe may read and write, and the paths in it.

A recipe may come from a stranger's pull request. A sink's path that leads out would let it overwrite
somebody's files, a source's would send somebody's files to a provider. So paths are read as text first:
`..` takes back the name before it, and what is left is looked for below the project's root alone.
Whoever opens a file also refuses symbolic links that leave the project.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

STATE, GIT = ".relightflow", ".git"
_WILDCARD = re.compile(r"[*?\[]")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True, slots=True)
class Project:
    folder: Path
    """The recipe's own folder, absolute and free of links."""
    root: Path
    """The folder itself, or one above it; absolute and free of links."""
    mark: str
    """What makes it a project: STATE or GIT; empty where nothing does and it is the recipe's folder."""

    @classmethod
    def of(cls, folder: Path) -> Project:
        """The project of a recipe in `folder`: the nearest folder with a state folder, else the git
        repository, else its own folder. Never more than the repository that the recipe came in, and
        never a folder that many things share: home, those above it, those that everybody can write to.
        """
        real = Path(os.path.realpath(folder))
        state, git = _nearest(real, STATE), _nearest(real, GIT)
        if git and (not state or git.is_relative_to(state)):
            within = state == git
            return cls(real, git, STATE if within else GIT)
        return cls(real, state or real, STATE if state else "")

    def parts(self, text: str) -> tuple[str, ...]:
        """What `text`, a path or pattern in the recipe, names below the root: names without `..`.

        Raises ValueError, in words that go on after the path, where it leads out or could be read in
        two ways.
        """
        if "\0" in text:
            raise ValueError("contains a NUL character")
        if text.startswith(("/", "~/")) or text == "~" or _DRIVE.match(text):
            raise ValueError(f"is not a relative path{self._relative(text)}")
        ups, names = climb(text)
        inner = self.folder.relative_to(self.root).parts
        if ups > len(inner):
            raise ValueError(self._outside(ups))
        return (*inner[: len(inner) - ups], *names)

    def place(self, text: str) -> Path:
        """Where that is. Raises ValueError as `parts` does, and for `..` after a symbolic link."""
        names = self.parts(text)
        walked = self.folder
        for part in text.split("/"):
            if part == ".." and walked.is_symlink():
                raise ValueError(
                    f"has '..' after the symbolic link {walked.name!r}; name the folder"
                )
            walked = walked.parent if part == ".." else walked / part
        return self.root.joinpath(*names)

    def _relative(self, text: str) -> str:
        """How the path is written instead."""
        said = "; paths in a recipe are relative to its file"
        path = Path(os.path.expanduser(text))  # noqa: PTH111  the text may be no path at all
        if path.is_absolute() and path.is_relative_to(self.root):
            return f"{said}: write '{os.path.relpath(path, self.folder)}'"
        return f"{said}, and must stay inside {self._named}"

    def _outside(self, ups: int) -> str:
        said = f"leads out of {self._named}, and a recipe can read and write only inside it"
        if self.mark:
            return f"{said}; name a place inside it"
        above = Path(os.path.normpath(self.folder.joinpath(*[".."] * ups)))
        if _is_shared(above):
            return f"{said}; put the recipe in a folder that holds the files too"
        return (
            f"{said}. To let the recipes in {above} use the folders beside theirs, make it a project "
            f"('git init' there, or 'mkdir {above / STATE}')"
        )

    @property
    def _named(self) -> str:
        kind = {STATE: "the project", GIT: "the repository", "": "the recipe's folder"}[self.mark]
        return f"{kind} {self.root}"


def climb(text: str) -> tuple[int, tuple[str, ...]]:
    """How many folders up a relative path leads, and which names follow: `a/../../b` is (1, ("b",)).

    Raises ValueError where `..` follows a wildcard, which stands for several folders at once.
    """
    ups = 0
    names: list[str] = []
    for part in text.split("/"):
        if part in ("", "."):
            continue
        if part != "..":
            names.append(part)
        elif not names:
            ups += 1
        elif _WILDCARD.search(names.pop()):
            raise ValueError("has '..' after a wildcard; write the path without it")
    return ups, tuple(names)


def _nearest(folder: Path, mark: str) -> Path | None:
    above = (place for place in folder.parents if not _is_shared(place))
    return next((p for p in (folder, *above) if os.path.lexists(p / mark)), None)


def _is_shared(folder: Path) -> bool:
    """Whether far more than one project lies in the folder."""
    try:
        if Path(os.path.realpath(Path.home())).is_relative_to(folder):
            return True
        mode = folder.stat().st_mode
    except (OSError, RuntimeError):  # no home is known, or the folder may not be looked at
        return True
    return bool(mode & stat.S_IWOTH and mode & stat.S_ISVTX)
