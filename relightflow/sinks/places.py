"""Where a sink on this machine never writes: into a repository's own files, and into a state folder.

The first decides which programs git runs, the second what was paid for. Names are compared as systems
compare them that ignore case or invisible letters; a folder that is one by its content is one under any
name (a bare repository, a state that was named with `--state`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from relightflow.core.filenames import same_place, without_invisible
from relightflow.errors import RefusedError

_NAMES = frozenset({".git", "git~1", ".relightflow", ".hg", ".svn", ".jj", ".bzr"})
_BY_CONTENT = (
    ("a repository of git", ("HEAD", "objects", "refs")),
    ("a worktree's repository of git", ("HEAD", "gitdir", "commondir")),
    ("a state folder of relightflow", ("ledger.sqlite3", "lock")),
    ("a state folder of relightflow", ("ledger.sqlite3", "blobs")),
)


def check_place(root: Path, relative: str) -> None:
    """Raises RefusedError where `root`/`relative`, a folder or file that may not exist yet, is in such
    a place, by its name or by where it leads. Looks at each folder on the way."""
    for part in relative.split("/"):
        if same_place(without_invisible(part)).rstrip(". ") in _NAMES:
            raise _refused(root / relative, f"{part!r} belongs to another program")
    for folder in _folders(root, relative):
        if same_place(folder.name) in _NAMES:
            raise _refused(root / relative, f"it leads into {folder}")
        for what, names in _BY_CONTENT:
            if all(os.path.lexists(folder / name) for name in names):
                raise _refused(root / relative, f"{folder} is {what}")


def _folders(root: Path, relative: str) -> Iterator[Path]:
    """The real folder and all above it."""
    real = Path(os.path.realpath(root / relative))
    yield from (real, *real.parents)


def _refused(path: Path, why: str) -> RefusedError:
    return RefusedError(f"a sink may not write to {path}: {why}. Use another folder for the sink")
