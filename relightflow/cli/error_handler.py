"""The one place where errors become words and exit codes.

A problem of the user's world is one message; a traceback is for our own bugs, without secrets.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from relightflow.cli import console, streams
from relightflow.errors import Exit, RelightflowError, UsageError


def run_guarded(command: Callable[[], Any], as_json: bool = False) -> int:
    """What `command` returns, or the exit code of what it raised. Leaves no output unwritten.

    `as_json`: what ends the command is told on standard output too, as a document.
    """
    with streams.guarded():
        return _told(command, as_json) or _written()


def _written() -> int:
    try:
        console.check_written()
    except RelightflowError as problem:  # the disk under standard output is full
        console.error(str(problem))
        return int(problem.exit_code)
    return 0


def _told(command: Callable[[], Any], as_json: bool) -> int:
    try:
        return int(command() or Exit.OK)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except (KeyboardInterrupt, click.Abort):
        problem = RelightflowError("interrupted")
        problem.exit_code = Exit.INTERRUPTED
    except click.ClickException as error:
        problem = UsageError(_usage(error))
    except RelightflowError as error:
        problem = error
    except Exception as error:
        problem = RelightflowError(_bug(error))
    console.error(str(problem))
    if as_json:
        from relightflow.report import json  # only then

        console.document(json.text(json.failed("", problem)))
    return int(problem.exit_code)


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
