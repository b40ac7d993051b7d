"""What a state folder must be before anything in it is believed or written: ours, and no trap.

A project may come from a stranger, and its `.relightflow` with it. What lies there decides what is
bought and where files are written, so it is refused where

- a part of it is a symbolic link, or a file that is written in place has a second name elsewhere;
- it, or a part of it, belongs to another user (as git's safe.directory has it);
- git tracks it: then whoever can commit decides what was paid for.

What the ledger holds is checked by `relightflow.ledger.checks`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from relightflow.errors import RefusedError, StorageError
from relightflow.store.git_index import tracks

_IN_PLACE = ("ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm", "lock", "index.jsonl")
"""Files that are written without being replaced."""
_FOLDERS = ("", "blobs", "runs", "cache", "models")


def check_state(root: Path, named: bool, environ: Mapping[str, str] = os.environ) -> None:
    """Raises RefusedError where the state folder `root` must not be used; one that is not there is
    fine. Looks at names and owners only, at most a few hundred, and writes nothing.

    `named`: the operator named it (`--state`, RELIGHTFLOW_STATE), so it may belong to another user.
    """
    if not os.path.lexists(root):
        return
    owners = None if named else _owners(environ)
    _check_one(root, os.lstat(root), owners, folder=True)
    if tracks(root):
        raise RefusedError(
            f"refused the state folder {root}: git tracks files in it, so whoever can commit would "
            f"decide what was paid for and where files are written. Delete it if it came with the "
            f"repository; if it is yours, 'git rm -r --cached {root.name}' keeps it here and out "
            "of "
            "git. Nothing was sent"
        )
    try:
        for name in _FOLDERS:
            if os.path.lexists(folder := root / name):
                _check_inside(folder, owners)
    except OSError as error:
        raise StorageError(
            f"the state folder {root} cannot be read ({error.strerror}); nothing was sent"
        ) from error


def check_models(folder: Path, named: bool, environ: Mapping[str, str] = os.environ) -> None:
    """Raises RefusedError where a file in the state's folder of declared models is a link, has a second
    name, or is another user's: it decides what is bought, and what that is taken to cost. `named`: as for
    `check_state`, which comes first."""
    owners = None if named else _owners(environ)
    try:
        for path in sorted(folder.iterdir()):
            _check_one(path, os.lstat(path), owners, folder=False)
    except OSError as error:
        raise StorageError(
            f"the declared models in {folder} cannot be read ({error.strerror}); nothing was sent"
        ) from error


def _check_inside(folder: Path, owners: frozenset[int] | None) -> None:
    """Every entry of `folder`. Owners only of what relightflow names itself: there may be thousands
    of runs, and nobody else can put one into a folder of ours."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink() or entry.name in (*_IN_PLACE, *_FOLDERS):
                path = folder / entry.name
                _check_one(path, os.lstat(path), owners, folder=entry.name in _FOLDERS)


def _check_one(
    path: Path, facts: os.stat_result, owners: frozenset[int] | None, folder: bool
) -> None:
    if stat.S_ISLNK(facts.st_mode):
        raise RefusedError(
            f"refused the state folder: {path} is a symbolic link. If it is yours, name the "
            "folder itself with --state or RELIGHTFLOW_STATE; otherwise delete "
            "the link. Nothing was sent"
        )
    if not (stat.S_ISDIR if folder else stat.S_ISREG)(facts.st_mode):
        kind = "folder" if folder else "regular file"
        raise RefusedError(f"refused the state folder: {path} is not a {kind}. Nothing was sent")
    if not folder and facts.st_nlink > 1:
        raise RefusedError(
            f"refused the state folder: {path} has a second name (a hard link) elsewhere, so what "
            "is written to it would change that file too. Copy it to a file of its own. Nothing "
            "was "
            "sent"
        )
    if owners is not None and facts.st_uid not in owners:
        raise RefusedError(
            f"refused the state folder: {path} belongs to another user (uid {facts.st_uid}, you "
            "are "
            f"uid {os.geteuid()}), who would decide what was paid for. If you trust it, name it "
            "with "
            "--state or RELIGHTFLOW_STATE; or give the recipe a state of its own the same way. "
            "Nothing was sent"
        )


def _owners(environ: Mapping[str, str]) -> frozenset[int]:
    """User ids whose folders are ours: our own, and under sudo also that of the one who called it."""
    own = os.geteuid()
    caller = environ.get("SUDO_UID", "")
    return frozenset({own, int(caller)} if own == 0 and caller.isdecimal() else {own})
