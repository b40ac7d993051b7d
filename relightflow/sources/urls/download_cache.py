"""Keeps the bytes that were fetched, by their sha256, so that a run need not fetch them again.

A cache: what does not fit is not kept, what is oldest goes first, and what is handed out was checked
against its hash. Safe for threads.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from relightflow.errors import RefusedError
from relightflow.images import BadImage
from relightflow.sources.files import bytes_of
from relightflow.store.atomic import write_atomic

FOLDER = "urls"
MOST = 4 << 30
"""Bytes of all files together, after `prune`."""
_SPARE = 2 << 30
"""Bytes of the disk that are left to the run, which must be able to store what it buys."""


class DownloadCache:
    def __init__(self, cache: Path | None) -> None:
        self._cache = cache
        self._wrote = False

    def put(self, sha256: str, data: bytes) -> None:
        """Keep `data`, if there is a place for it; failing to is no failure."""
        if self._cache is None:
            return
        with contextlib.suppress(OSError, RefusedError):
            path = self._path(self._cache, sha256)
            self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists() or shutil.disk_usage(self._cache).free < _SPARE + len(data):
                return
            name = f"{FOLDER}/{sha256[:2]}/{sha256}"
            write_atomic(self._cache, name, data, durable=False, private=True)
            self._wrote = True

    def get(self, sha256: str) -> bytes | None:
        """The bytes, if they are kept and sound."""
        if self._cache is None:
            return None
        path = self._path(self._cache, sha256)
        try:
            data = bytes_of(str(path))
        except (OSError, BadImage):
            return None
        if hashlib.sha256(data).hexdigest() == sha256:
            with contextlib.suppress(OSError):
                os.utime(path)  # read just now: the last to go
            return data
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def file(self, sha256: str) -> Path | None:
        """Where the bytes are kept; None: nowhere."""
        path = None if self._cache is None else self._path(self._cache, sha256).absolute()
        return path if path and path.is_file() else None

    def prune(self) -> None:
        """Throw the oldest away until the rest fits; nothing where nothing was added."""
        if self._cache is None or not self._wrote:
            return
        self._wrote = False
        with contextlib.suppress(OSError):
            files = [(facts.st_mtime_ns, facts.st_size, path) for path, facts in self._files()]
            total = sum(size for _, size, _ in files)
            for _, size, path in sorted(files) if total > MOST else ():
                if total <= MOST:
                    break
                path.unlink(missing_ok=True)
                total -= size

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        assert self._cache is not None
        with os.scandir(self._cache / FOLDER) as folders:
            inner = [folder.path for folder in folders if folder.is_dir(follow_symlinks=False)]
        found = []
        for folder in inner:
            with os.scandir(folder) as files:
                found += [(Path(f.path), f.stat(follow_symlinks=False)) for f in files]
        return found

    def _path(self, cache: Path, sha256: str) -> Path:
        return cache / FOLDER / sha256[:2] / sha256
