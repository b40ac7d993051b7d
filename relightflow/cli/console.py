"""Where text goes: the answer to standard output, everything said on the way to standard error.

`--json` turns the answer into JSON, `--quiet` leaves out all but errors and JSON. Text that arrives
here is escaped already; commands to a CI system are taken out here, because only here it is
known what begins a line.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

import click

from relightflow.cli import streams
from relightflow.core.redact import known
from relightflow.errors import StorageError
from relightflow.report import escape
from relightflow.report.text import paragraph


@dataclass(frozen=True, slots=True)
class Console:
    json: bool = False
    quiet: bool = False

    def answer(self, text: str) -> None:
        """What the command was asked for, in words."""
        if not self.json and not self.quiet:
            _print(text + "\n")

    def document(self, pieces: str | Iterable[str]) -> None:
        """What the command was asked for, as one line of JSON."""
        if self.json:
            document(pieces)

    def issue(self, text: str) -> None:
        """An answer that tells of failures: to standard error where it would not be said at all."""
        if self.json or self.quiet:
            _tell(text)
        else:
            self.answer(text)

    def say(self, text: str) -> None:
        if not self.quiet:
            _tell(text)

    def note(self, text: str) -> None:
        """Something worth saying once; untrusted text may be in it."""
        self.say(f"note: {escape.terminal(text)}")

    def warn(self, text: str) -> None:
        if not self.quiet:
            _tell(f"{_coloured('warning:', 'yellow')} {escape.lines(text)}")

    def workflow_commands(self, commands: Iterable[str]) -> None:
        """Commands of ours to GitHub, each a line, to standard error: the only ones that are not taken out."""
        streams.answers().flush()
        for command in commands:
            sys.stderr.write(known(command).replace("\n", " ") + "\n")
        sys.stderr.flush()

    @property
    def columns(self) -> int | None:
        """Of the terminal that shows answers; None: it is a file or a pipe."""
        return _columns(streams.answers())

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to read a question and to answer it."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str) -> bool:
        """Yes or no, no by default."""
        return click.confirm(question, default=False, err=True)


def error(text: str) -> None:
    """Why a command ends; said whatever was asked to be quiet."""
    _tell(f"{_coloured('error:', 'red')} {escape.lines(text)}")


def document(pieces: str | Iterable[str]) -> None:
    """One line of JSON."""
    streams.data_printed()
    for piece in [pieces] if isinstance(pieces, str) else pieces:
        if streams.unread():
            break
        _print(piece, raw=True)
    _print("\n", raw=True)


def check_written() -> None:
    """Raises StorageError where a program that reads standard output did not get all of it."""
    problem = streams.lost()
    if problem:
        raise StorageError(f"standard output cannot be written: {problem.strerror}")


def coloured(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that wants colours. See no-color.org."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _coloured(text: str, colour: str) -> str:
    return click.style(text, fg=colour, bold=True) if coloured(sys.stderr) else text


def _columns(stream: TextIO) -> int | None:
    return shutil.get_terminal_size().columns if stream.isatty() else None


def _print(text: str, raw: bool = False) -> None:
    text = known(text)
    streams.answers().write(text if raw else escape.log(text))


def _tell(text: str) -> None:
    streams.answers().flush()  # so that a log that takes both streams keeps their order
    columns = _columns(sys.stderr)
    text = "\n".join(_wrapped(line, columns) for line in text.split("\n"))
    sys.stderr.write(escape.log(known(text)) + "\n")
    sys.stderr.flush()


def _wrapped(line: str, columns: int | None) -> str:
    """A sentence wrapped between words. What is indented is left whole: commands are copied."""
    return line if line.startswith(" ") else "\n".join(paragraph(line, columns))
