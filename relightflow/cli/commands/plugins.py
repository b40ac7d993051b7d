"""`relightflow plugins`: what is loaded, from where, and what was left out."""

from __future__ import annotations

import click

from relightflow.cli import params
from relightflow.cli.console import Console
from relightflow.plugins import registry as plugins
from relightflow.report import json
from relightflow.report.plugins import document
from relightflow.report.plugins import plugins as words


@click.command
@params.output()
def command(console: Console) -> None:
    """List the installed sources, backends and sinks.

    A plugin that cannot be loaded is reported and skipped; the others work.
    """
    registry = plugins.load()
    console.answer(words(registry))
    for warning in registry.warnings:
        console.warn(warning)
    console.document(json.text(document(registry)))
