"""The one place where errors become words and exit codes.

A problem of the user's world is one message; a traceback is for our own bugs, without secrets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

import click

from relightflow.cli import console
from relightflow.errors import Exit, RelightflowError


def run_guarded(command: Callable[[], Any]) -> int:
    """What `command` returns, or the exit code of what it raised. Leaves no output unwritten."""
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_encode(stream)
    try:
        code = _told(command)
        return code or _written()
    except BrokenPipeError:
        return int(Exit.INTERRUPTED)
    finally:
        _let_go()


def _written() -> int:
    try:
        console.flush()
    except RelightflowError as problem:  # the disk under standard output is full
        console.error(str(problem))
        return int(problem.exit_code)
    return 0


def _told(command: Callable[[], Any]) -> int:
    try:
        return int(command() or Exit.OK)
    except RelightflowError as error:
        console.error(str(error))
        return int(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        console.error("interrupted")
        return int(Exit.INTERRUPTED)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        console.error(_usage(error))
        return int(Exit.INVALID)
    except BrokenPipeError:
        raise
    except Exception as error:
        console.error(_bug(error))
        return int(Exit.JOBS_FAILED)


def _usage(error: click.ClickException) -> str:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    return f"{message}\nTry '{context.command_path} -h' for help." if context else message


def _bug(error: Exception) -> str:
    import traceback  # only a bug needs it

    from relightflow.core.redact import redact

    told = "".join(traceback.format_exception(error)).rstrip()
    return (
        "this is a bug in relightflow; please report it with the lines below. What was paid for "
        f"is recorded: run the same command again to continue\n{redact(told, os.environ)}"
    )


def _never_fail_to_encode(stream: TextIO) -> None:
    """A name that the terminal cannot spell is escaped, not a crash."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="backslashreplace")


def _let_go() -> None:
    """Point broken streams nowhere, so that the interpreter's own last flush says nothing."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
