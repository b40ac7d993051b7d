"""Holds a manifest against the files beside it, without a recipe, a state or a network: what a commit of
both must agree in. The manifest may be a stranger's: only plain paths below its folder are read."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from relightflow.errors import RefusedError, StorageError, UsageError
from relightflow.model.maintenance import ManifestCheck
from relightflow.store.atomic import opened_folder, parts_of
from relightflow.store.index_entry import decoded

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def check_manifest(path: Path) -> ManifestCheck:
    """Blocks, and reads every file that is called done.

    Raises UsageError where the file is no manifest, StorageError where it cannot be read, RefusedError for a
    path that leads out of the manifest's folder.
    """
    changed: dict[str, None] = {}
    gone: dict[str, None] = {}
    files: dict[str, str] = {}
    for record in _records(path):
        place, sha256 = record.get("path"), record.get("sha256")
        delivered = record.get("delivered")
        if isinstance(delivered, dict):
            sha256 = delivered.get("sha256")
        if record.get("status") == "done" and isinstance(place, str):
            files[place] = str(sha256)
    for place, sha256 in files.items():
        found = _digest(path.absolute().parent, place)
        if found is None:
            gone[place] = None
        elif found != sha256:
            changed[place] = None
    return ManifestCheck(len(files), tuple(changed), tuple(gone))


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as lines:
            head = decoded(next(lines, b""))
            if head is None or head.get("record") != "recipe":
                raise UsageError(f"{path}: not a manifest of relightflow")
            for number, line in enumerate(lines, start=2):
                record = decoded(line)
                if record is None:
                    raise UsageError(f"{path}:{number}: not a record of a manifest")
                yield record
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror})") from error


def _digest(folder: Path, place: str) -> str | None:
    """None where there is no file; empty where something else is in its place."""
    *folders, name = parts_of(place)
    try:
        with opened_folder(folder, folders) as parent:
            handle = os.open(name, _READ, dir_fd=parent)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, RefusedError):
        return ""  # a link
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return ""
        return hashlib.file_digest(file, "sha256").hexdigest()
