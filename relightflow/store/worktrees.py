"""Where the main worktree of a git repository is, so that all its worktrees share one state.

Read from git's own files; no git process is started. Source: gitrepository-layout(5), "gitdir",
"commondir".
"""

from __future__ import annotations

import os
from pathlib import Path

_MOST = 4096
"""Bytes of a path."""


def main_worktree(root: Path) -> Path:
    """The folder whose state the worktree at `root` shares; `root` itself where it is the main one, a
    submodule, or something that git would not recognise. Of a bare repository: its own folder."""
    text = _text(root / ".git")
    if not text.startswith("gitdir:"):
        return root
    private = root / text.removeprefix("gitdir:").strip()
    named = _text(private / "commondir").strip()
    if not named or not _names_back(private, root):
        return root
    common = Path(os.path.realpath(private / named))
    if not (common / "HEAD").is_file():
        return root
    return common.parent if common.name == ".git" else common


def repository_of(folder: Path) -> Path | None:
    """The root of the work tree around `folder` (absolute); None: it is in no repository."""
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), None)


def _names_back(private: Path, root: Path) -> bool:
    """Whether the repository knows this worktree: a `.git` file alone, which anybody can commit to a
    folder, must not lead to the state of another project."""
    named = _text(private / "gitdir").strip()
    return bool(named) and os.path.realpath(private / named) == os.path.realpath(root / ".git")


def _text(path: Path) -> str:
    """The first bytes of an ordinary file; nothing where there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(handle, _MOST).decode("utf-8", "surrogateescape")
    except OSError:  # a folder
        return ""
    finally:
        os.close(handle)
