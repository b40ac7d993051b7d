"""The standard streams of the process: what cannot be written to them never decides about the work.

A stream that is closed from the start, whose reader has gone or whose disk is full takes what it is
given and drops it. What commands answer goes to the real standard output; from `reserve` on, whatever
else prints (a plugin, a library, a child process) goes to standard error, so that JSON stays JSON.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_NOBODY_READS = (errno.EPIPE, errno.EBADF)
_NAMES = ("stdin", "stdout", "stderr")


class _Descriptor(io.FileIO):
    """A file descriptor whose first failing write is the last one that reaches it."""

    lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        try:
            while (
                written := super().write(data)
            ) is None:  # shared with a program that does not wait
                select.select([], [self.fileno()], [])
        except OSError as error:
            self.lost = error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return size
        return int(written)


class _State:
    """What this process did to its streams."""

    answers: TextIO | None = None
    """Where answers go since `reserve`; None: to `sys.stdout`."""
    data: bool = False
    """Whether anything was printed there that a program reads."""


def answers() -> TextIO:
    """Where a command's answer goes."""
    return _State.answers or sys.stdout


def data_printed() -> None:
    """What is on standard output is for a program, which must not take a part for the whole."""
    _State.data = True


def lost() -> OSError | None:
    """Why data for a program did not reach standard output; None: it did, or nobody reads it."""
    answers().flush()
    raw = _raw(answers())
    error = raw.lost if isinstance(raw, _Descriptor) else None
    return error if error and _State.data and error.errno not in _NOBODY_READS else None


def unread() -> bool:
    """Whether nothing that is printed arrives any more, so that a long list may end."""
    raw = _raw(answers())
    return isinstance(raw, _Descriptor) and raw.lost is not None


def reserve() -> None:
    """From here on only answers go to standard output. Called before any plugin is loaded."""
    if _State.answers is not None or sys.stdout is sys.stderr:
        return
    sys.stdout.flush()
    if isinstance(_raw(sys.stdout), _Descriptor):
        kept = os.dup(1)
        _State.answers = _text(_Descriptor(kept, "wb", closefd=True), sys.stdout)
        os.dup2(2, 1)
    else:  # somebody's own object stands in for it, as in tests
        _State.answers = sys.stdout
    sys.stdout = sys.stderr


@contextmanager
def guarded() -> Iterator[None]:
    """Streams as the module describes them, for the time of one command."""
    _fill_closed()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__") and isinstance(stream, io.TextIOWrapper):
            stream.flush() if name == "stdout" else None
            descriptor = _Descriptor(stream.fileno(), "wb", closefd=False)
            setattr(sys, name, _text(descriptor, stream))
        reconfigure = getattr(getattr(sys, name), "reconfigure", None)
        if reconfigure:  # a name that the terminal cannot spell is escaped, not a crash
            reconfigure(errors="backslashreplace")
    before = sys.stdout
    try:
        yield
    finally:
        sys.stderr.flush()
        _give_back(before)


def _give_back(stdout: TextIO) -> None:
    """Undo `reserve`."""
    reserved, _State.answers, _State.data = _State.answers, None, False
    sys.stdout = stdout
    if reserved is not None and reserved is not stdout:
        reserved.flush()
        os.dup2(reserved.fileno(), 1)
        reserved.close()
    stdout.flush()


def _fill_closed() -> None:
    """Open what the parent closed (`>&-`) on the null device: else the next file that is opened, the
    ledger perhaps, would be standard output for every program that is started."""
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  for good
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)


def _text(raw: io.RawIOBase, like: TextIO) -> io.TextIOWrapper:
    """A text stream over `raw`, with encoding and buffering of `like`."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=like.encoding,
        errors="backslashreplace",
        line_buffering=bool(getattr(like, "line_buffering", False)),
        write_through=bool(getattr(like, "write_through", False)),
    )


def _raw(stream: TextIO) -> object:
    return getattr(getattr(stream, "buffer", None), "raw", None)
