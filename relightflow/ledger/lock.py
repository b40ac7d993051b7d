"""One process writes: a kernel lock that dies with its holder, so there is no stale lock."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from relightflow.errors import EarlyStop, StorageError


@dataclass(frozen=True, slots=True)
class HeldLock:
    path: Path
    _handle: int

    @property
    def lost(self) -> bool:
        """Whether another process could take it by now, because its file is not the one at `path` any
        more: deleted, replaced, or moved away with the whole folder."""
        try:
            return not os.path.samestat(os.lstat(self.path), os.fstat(self._handle))
        except OSError:
            return True


@contextmanager
def acquire(path: Path, who: str) -> Iterator[HeldLock]:
    """Hold the lock at `path`; `who` says in words who holds it, for the one who has to wait.

    The folder is locked as well, so that deleting the file lets nobody in. Raises EarlyStop, at once,
    where another process holds either.
    """
    with ExitStack() as stack:
        handle = _opened(path, os.O_RDWR | os.O_CREAT, stack)
        folder = _opened(path.parent, os.O_RDONLY | os.O_DIRECTORY, stack)
        if not (_locked(handle) and _locked_folder(folder)):
            raise EarlyStop(
                f"{_holder(handle)} is using this state folder ({path.parent}); nothing was sent. "
                "Run again when it has finished, or use another state folder with --state"
            )
        _write_holder(handle, path, who)
        yield HeldLock(path, handle)
        with suppress(OSError):  # whoever comes next must not be told of us
            os.ftruncate(handle, 0)


def _opened(path: Path, how: int, stack: ExitStack) -> int:
    try:
        handle = os.open(path, how | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StorageError(f"cannot open the lock {path}: {error.strerror}") from error
    stack.callback(os.close, handle)
    return handle


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _locked_folder(handle: int) -> bool:
    """True too where the file system cannot lock a folder (NFS wants a file that is open for
    writing): the lock file alone guards it then."""
    try:
        return _locked(handle)
    except OSError as error:
        if error.errno in (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP):
            return True
        raise StorageError(f"cannot lock the state folder: {error.strerror}") from error


def _write_holder(handle: int, path: Path, who: str) -> None:
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, who.encode()[:200], 0)
    except OSError as error:
        raise StorageError(
            f"the lock {path} cannot be written ({error.strerror}); nothing was sent. Free some "
            "space, or use another state folder with --state"
        ) from error


def _holder(handle: int) -> str:
    """Who holds the lock. One that has only just taken it may not have said so yet."""
    for _ in range(20):
        said = os.pread(handle, 200, 0).decode("utf-8", "replace").strip()
        if said:
            return said
        time.sleep(0.01)
    return "another run"
