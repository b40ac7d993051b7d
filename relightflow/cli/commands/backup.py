"""`relightflow backup`: a copy of the ledger that can be relied on."""

from __future__ import annotations

from pathlib import Path

import click

from relightflow.cli import params
from relightflow.cli.console import Console
from relightflow.errors import UsageError
from relightflow.ledger.backup import copy_ledger
from relightflow.report import escape, json
from relightflow.report.text import count


@click.command
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("recipe", required=False, type=params.FILE, metavar="[RECIPE]")
@params.state
@params.output()
def command(file: Path, recipe: Path | None, state: Path | None, console: Console) -> None:
    """Copy the ledger to a file, also during a run.

    FILE is self-contained and replaces an older backup. Copy the state's `blobs/` folder after it, with
    any tool and at any time. `relightflow rebuild --from FILE` restores the backup and what was bought
    since.
    """
    state_dir = params.state_dir(recipe, state)
    if file.absolute().resolve().is_relative_to(state_dir.root.resolve()):
        raise UsageError(f"{file} is in the state folder itself; choose a path outside it")
    attempts = copy_ledger(state_dir.ledger, file.absolute())
    console.answer(
        f"{escape.terminal(str(file))}: {count(attempts, 'attempt')}. Copy "
        f"{escape.terminal(str(state_dir.blobs))} after it; restore it with 'relightflow rebuild "
        f"--from {escape.terminal(str(file))}'"
    )
    console.document(json.text(json.backup(str(file), attempts, str(state_dir.blobs))))
