"""Making many new files durable at once.

One `syncfs` for a batch costs about as much as one `fsync` for a file (man 2 syncfs; since Linux 5.8
it reports write errors). It also writes what other programs have pending on the same file system,
so a few files are synced one by one, and so is everything where the system has no `syncfs`.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

FEW = 4


def _find_syncfs() -> Callable[[int], int] | None:
    try:
        function = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_int,)
    return function


_syncfs = _find_syncfs()


def make_durable(files: Sequence[str | Path], folders: Sequence[str | Path]) -> None:
    """Return once `files` and their entries in `folders` survive a power cut. Raises OSError."""
    if len(files) > FEW and _syncfs and _sync_file_system(folders[0]):
        return
    for path in (*files, *folders):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_all_durable(folder: str | Path) -> None:
    """Return once all that was written on the file system of `folder` survives a power cut.

    Raises OSError.
    """
    if not (_syncfs and _sync_file_system(folder)):
        os.sync()


def _sync_file_system(folder: str | Path) -> bool:
    """True where it worked; False where this system cannot do it."""
    assert _syncfs
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _syncfs(handle) == 0:
            return True
        code = ctypes.get_errno()
        if code in (errno.ENOSYS, errno.EPERM):
            return False
        raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(handle)
