"""The command line: the only user of click. One command a file, loaded when it is asked for."""

from __future__ import annotations

import gc
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import click

from relightflow.cli.error_handler import run_guarded
from relightflow.cli.group import relightflow
from relightflow.errors import Exit

NAME = "relightflow"
_NEW_OBJECTS = 100_000
"""Between two looks of the garbage collector at young objects. A large recipe is a tree without circles,
and looking at it again and again took a third of the time that reading it takes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give the process's exit code. Raises nothing."""
    _silence_libraries()
    typed = list(sys.argv[1:] if arguments is None else arguments)
    options = typed[: typed.index("--")] if "--" in typed else typed
    return run_guarded(lambda: _run(typed), as_json="--json" in options)


def _silence_libraries() -> None:
    """What a library thinks of an image or of its caller is no concern of whoever runs a command; what
    matters of it is said in our words. `python -W` still shows it."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logger = logging.getLogger("PIL")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False


def _run(typed: list[str]) -> Any:
    gc.set_threshold(_NEW_OBJECTS)
    if "_RELIGHTFLOW_COMPLETE" in os.environ:  # a shell asks click for completions
        return relightflow.main(typed, prog_name=NAME)
    if not typed:  # click would call its help an error
        with relightflow.make_context(NAME, ["--"], obj=typed, resilient_parsing=True) as context:
            click.echo(context.get_help(), err=True)
        return Exit.INVALID
    # not click's own main: it answers a closed pipe with 1, and differently from version to version
    with relightflow.make_context(NAME, list(typed), obj=typed) as context:
        return relightflow.invoke(context)
