"""`relightflow schema`: the JSON Schema of a recipe with the plugins that are installed here."""

from __future__ import annotations

import json

import click

from relightflow.cli import opening, streams
from relightflow.cli.console import Console
from relightflow.recipe import compose_schema, published

PARTS = {
    "recipe": "recipe",
    "manifest": "manifest-record",
    "summary": "summary",
    "picks": "picks",
    "plan": "plan",
}
"""What --part takes → the published schema's name."""


@click.command
@click.option(
    "--part", type=click.Choice(tuple(PARTS)), default="recipe", show_default=True,
    metavar="PART", help="Which schema: recipe, manifest (one record), summary, picks or plan.",
)  # fmt: skip
def command(part: str) -> None:
    """Print the JSON Schema of a recipe, manifest, summary, picks or plan file.

    The recipe's schema includes the options of all installed plugins. To use it in an editor, start
    the recipe with: # yaml-language-server: $schema=recipe.schema.json
    """
    console = Console()
    if part == "recipe":
        schema = compose_schema(opening.registry(console))
    else:
        schema = published(PARTS[part])
    console.answer(json.dumps(schema, indent=2, ensure_ascii=False))
    streams.data_printed()
