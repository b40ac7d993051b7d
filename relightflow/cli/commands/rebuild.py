"""`relightflow rebuild`: a lost ledger, recreated from the blob store."""

from __future__ import annotations

from pathlib import Path

import click

from relightflow.cli import params
from relightflow.cli.console import Console
from relightflow.errors import Exit
from relightflow.maintenance.rebuild import rebuild
from relightflow.report import json, resolution


@click.command
@click.argument("recipe", required=False, type=params.FILE, metavar="[RECIPE]")
@click.option(
    "--from", "backup", type=params.FILE, metavar="FILE",
    help="Restore this backup first.",
)  # fmt: skip
@params.state
@params.output()
def command(recipe: Path | None, backup: Path | None, state: Path | None, console: Console) -> Exit:
    """Recreate a lost ledger from the blob store or a backup.

    Nothing is bought. Move a damaged ledger away first; --from does so itself. Results are restored
    from the blob store's index; calls that were in flight are collected, or looked up, by the next run.
    """
    found = rebuild(params.state_dir(recipe, state, may_be_new=backup is not None), backup)
    console.answer(resolution.rebuilt(found))
    console.document(json.text(resolution.rebuilt_document(found)))
    return Exit.DAMAGED if found.lost or found.nonsense else Exit.OK
