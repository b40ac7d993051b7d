"""`relightflow emulator`: the provider's protocol on this machine, for rehearsals at no cost."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from relightflow.backends.emulator.options import OPTIONS, Option, assemble


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Every option of the emulator's own table; `given` holds those that were typed."""

    @functools.wraps(command)
    def gathered(**typed: Any) -> Any:
        given: list[tuple[Option, str]] = []
        for option in OPTIONS:
            value = typed[option.field]
            if option.read is None:
                given += [(option, "")] if value else []
            elif option.many:
                given += [(option, text) for text in value]
            elif value is not None:
                given.append((option, value))
        return command(given)

    for option in reversed(OPTIONS):
        flag = option.read is None
        gathered = click.option(
            option.name,
            option.field,
            help=option.help,
            is_flag=flag,
            multiple=option.many,
            metavar=None if flag else option.metavar,
        )(gathered)
    return gathered


@click.command
@_options
def command(given: list[tuple[Option, str]]) -> None:
    """Serve a provider's API on this machine, for rehearsals.

    The emulator replaces Segmind, or the provider that --protocol names, at no cost and can inject
    faults. Let a run use it with RELIGHTFLOW_SEGMIND_URL=http://127.0.0.1:PORT (for fal:
    RELIGHTFLOW_FAL_URL, and so on). Those of runware and comfy take --port, --latency and
    --key only. Ctrl-C stops it.
    """
    config = assemble(given)
    from relightflow.backends.emulator.server import (
        serve,  # loads aiohttp, which -h must not
    )

    serve(config)
