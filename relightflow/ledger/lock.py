"""One process writes: a kernel lock that dies with its holder, so there is no stale lock."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from relightflow.errors import EarlyStop, StorageError


@contextmanager
def acquire(path: Path, who: str) -> Iterator[None]:
    """Hold the lock at `path`; `who` says in words who holds it, for the one who has to wait.

    Raises EarlyStop, at once, where another process holds it.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StorageError(f"cannot open the lock {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EarlyStop(
                f"{_holder(handle)} is using this state ({path.parent}); nothing was sent. "
                "Run again when it has ended, or use another state with --state"
            ) from None
        _write_holder(handle, path, who)
        yield
        with suppress(OSError):  # whoever comes next must not be told of us
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _write_holder(handle: int, path: Path, who: str) -> None:
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, who.encode()[:200], 0)
    except OSError as error:
        raise StorageError(
            f"the lock {path} cannot be written ({error.strerror}); nothing was sent. Make room, or "
            "choose another place with --state"
        ) from error


def _holder(handle: int) -> str:
    """Who holds the lock. One that has only just taken it may not have said so yet."""
    for _ in range(20):
        said = os.pread(handle, 200, 0).decode("utf-8", "replace").strip()
        if said:
            return said
        time.sleep(0.01)
    return "another run"
