"""`relightflow init`: a commented starter recipe, never over a file that is there."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.errors import StorageError, UsageError
from relightflow.recipe import schema_text, starter
from relightflow.report import escape

NAME = "recipe.yaml"
SCHEMA = "recipe.schema.json"


@click.command
@click.argument("path", required=False, default=NAME, type=params.FILE, metavar="[PATH]")
@params.output(json=False)
def command(path: Path, console: Console) -> None:
    """Write a commented starter recipe.

    PATH is the new file if it ends in .yaml or .yml, and otherwise the folder for recipe.yaml; the
    default is recipe.yaml in the current folder. An existing file is not changed. The recipe uses the
    free preview backend. Its JSON Schema is written beside it as recipe.schema.json, for editors.
    """
    if path.is_dir() or path.suffix not in {".yaml", ".yml"}:
        path /= NAME
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(starter(SCHEMA))
        schema = path.with_name(SCHEMA)
        if not schema.exists():
            schema.write_text(schema_text(opening.registry(console)), encoding="utf-8")
    except FileExistsError:
        raise UsageError(f"{path} exists and was not changed; choose another name") from None
    except OSError as problem:
        raise StorageError(f"{path} cannot be written: {problem.strerror}") from problem
    console.answer(escape.terminal(str(path)))
    console.say(f"next: relightflow plan {escape.terminal(shlex.quote(str(path)))}")
