"""One server for all the processes of a test session: the first that needs it starts it, and stops it
when the last one has no more use for it.

Kernel locks say who uses it, so a process that dies holds up nobody. (xdist's groups would be the
other way; they do not reach pytest 9.2, which keeps node ids elsewhere.)
"""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def shared_server(
    name: str, folder: Path, start_in: Callable[[Path], AbstractContextManager[str]]
) -> Iterator[str]:
    """What `start_in` gives in an empty folder: the address of a server that it runs. `folder`: the same
    for all processes of the session."""
    note = folder / f"{name}.url"
    with ExitStack() as stack:
        start = stack.enter_context((folder / f"{name}.start").open("a"))
        users = stack.enter_context((folder / f"{name}.users").open("a"))
        fcntl.flock(start, fcntl.LOCK_EX)
        if not note.exists():
            state_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
            note.write_text(stack.enter_context(start_in(state_dir)))
            stack.callback(_wait_for_the_others, start, users, note)
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(start, fcntl.LOCK_UN)
        try:
            yield note.read_text()
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
