"""One Swift for all the processes of a test session: the first that needs it starts it, and stops it
when the last one has no more use for it.

Kernel locks say who uses it, so a process that dies holds up nobody. (xdist's groups would be the
other way; they do not reach pytest 9.2, which keeps node ids elsewhere.)
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from tests.servers.swift import Server, swift


@contextmanager
def shared_swift(folder: Path, cache: Path) -> Iterator[Server]:
    """`folder`: the same for all processes of the session."""
    note = folder / "swift.url"
    with ExitStack() as stack:
        start = stack.enter_context((folder / "swift.start").open("a"))
        users = stack.enter_context((folder / "swift.users").open("a"))
        fcntl.flock(start, fcntl.LOCK_EX)
        if not note.exists():
            state_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
            note.write_text(stack.enter_context(swift(state_dir, cache)).endpoint)
            stack.callback(_wait_for_the_others, start, users, note)
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(start, fcntl.LOCK_UN)
        try:
            yield Server(note.read_text())
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)


def _wait_for_the_others(start: TextIO, users: TextIO, note: Path) -> None:
    """Returns when nobody uses it, and nobody will."""
    while True:
        fcntl.flock(start, fcntl.LOCK_EX)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(start, fcntl.LOCK_UN)
            fcntl.flock(users, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_UN)
        else:
            note.unlink()
            return
