"""`relightflow keep`: accepts delivered files that somebody changed."""

from __future__ import annotations

import os
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.errors import Exit
from relightflow.maintenance.keep import Keeping
from relightflow.report import escape, json
from relightflow.report.text import count, listing
from relightflow.store.state_dir import locate

_SHOWN = 20


@click.command
@click.argument("recipe", type=params.FILE, metavar="RECIPE")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--undo", is_flag=True, help="Take the acceptance back; runs report the file again.")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE",
    help="Override a field of the recipe, as for the run. Repeatable.",
)  # fmt: skip
@params.state
@params.output()
def command(
    recipe: Path,
    files: tuple[str, ...],
    undo: bool,
    overrides: tuple[str, ...],
    state: Path | None,
    console: Console,
) -> Exit:
    """Accept delivered files that were edited.

    For retouched images, better captions and the like. Each FILE, or each edited file in a folder FILE, is accepted as it is in the place of the result:
    runs leave it alone and end with exit code 0, and the manifest describes it. Without FILE, the edited
    files are listed and the command ends with 1 if there are any. Sends nothing.
    """
    registry = opening.registry(console, state)
    state_dir = locate(recipe, state, os.environ)
    found = api.keep(recipe, registry, state_dir, overrides, files, undo)
    (console.issue if found.edited else console.answer)(_words(recipe, found))
    console.document(json.text(json.keeping(str(recipe), found.kept, found.edited, found.undone)))
    return found.exit


def _words(recipe: Path, found: Keeping) -> str:
    lines = []
    for paths, words in (
        (found.kept, "accepted"),
        (found.undone, "no longer accepted"),
        (found.edited, "edited"),
    ):
        if paths:
            lines.append(f"{count(len(paths), 'file')} {words}:")
            lines += listing(map(_shown, paths[:_SHOWN]), len(paths))
    if found.edited:
        shown = escape.terminal(str(recipe))
        lines.append(f"accept with: relightflow keep {shown} FILE; replace with: run --overwrite")
    return "\n".join(lines) or "no delivered file was edited"


def _shown(location: str) -> str:
    return location if "://" in location else os.path.relpath(location)
