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
    """List sources, backends and sinks, and where they come from.

    A plugin that cannot be loaded is left out, named, and costs nobody else anything.
    """
    registry = plugins.load()
    console.answer(words(registry))
    for warning in registry.warnings:
        console.warn(warning)
    console.document(json.text(document(registry)))
