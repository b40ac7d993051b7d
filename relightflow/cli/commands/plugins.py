"""`relightflow plugins`: what is loaded, from where, and what was left out; and a new plugin."""

from __future__ import annotations

from pathlib import Path

import click

from relightflow.cli import params
from relightflow.cli.console import Console
from relightflow.errors import UsageError
from relightflow.plugins import registry as plugins
from relightflow.plugins.scaffold import KINDS, scaffold
from relightflow.report import json
from relightflow.report.plugins import document
from relightflow.report.plugins import plugins as words


@click.command
@click.argument("action", required=False, type=click.Choice(["new"]), metavar="[new]")
@click.argument("name", required=False, metavar="[NAME]")
@click.option(
    "--into", type=click.Path(path_type=Path), metavar="DIR",
    help="Where the new package goes; else relightflow-NAME here.",
)  # fmt: skip
@click.option(
    "--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True,
    help="What the new plugin brings.",
)  # fmt: skip
@params.output()
def command(
    action: str | None, name: str | None, into: Path | None, kind: str, console: Console
) -> None:
    """List the installed sources, backends, sinks and checks, or write a new plugin.

    `plugins new NAME` writes a package with a backend for a paid HTTP provider, or with --kind a sink or a
    source, and tests that pass.
    A plugin that cannot be loaded is reported and skipped; the others work.
    """
    if action:
        if not name:
            raise UsageError("name the new plugin: relightflow plugins new NAME")
        folder = into or Path(f"relightflow-{name}")
        written = scaffold(name, folder, kind)
        console.answer("".join(f"{path}\n" for path in written).rstrip())
        console.say(f"next: cd {folder} && pip install -e '.[test]' && pytest")
        return
    registry = plugins.load()
    console.answer(words(registry))
    for warning in registry.warnings:
        console.warn(warning)
    console.document(json.text(document(registry)))
