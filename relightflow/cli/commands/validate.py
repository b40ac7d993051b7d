"""`relightflow validate`: every recipe's result, all problems at once. Looks at no image."""

from __future__ import annotations

from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.errors import Exit, gravest
from relightflow.model.recipe import Recipe
from relightflow.plan.build import Expanded
from relightflow.report import escape, json
from relightflow.report.text import count


@click.command
@params.recipes
@params.output()
def command(reading: RecipeArguments, console: Console) -> Exit:
    """Check recipes and report every problem.

    RECIPE may be several files, or folders with *.yaml and *.yml files; where none is named it is
    recipe.yaml, or the only recipe in recipes/. Nothing is sent and no image is
    read. With --json, prints one document per recipe, one per line.
    """
    registry = opening.registry(console)

    def step(path: Path) -> tuple[Recipe, Expanded]:
        recipe = api.load(path, registry, reading.overrides, reading.backend)
        return recipe, api.check(recipe, registry)

    exits = []
    for path, found in opening.each(reading, console, step):
        if isinstance(found, Exit):
            exits.append(found)
            continue
        recipe, expanded = found
        cells = len(expanded.cells)
        opening.warn_of(expanded.warnings, console)
        console.answer(f"{escape.terminal(str(path))}: valid, {count(cells, 'cell')} per image")
        console.document(json.text(json.valid(str(path), recipe, cells, expanded.warnings)))
    return gravest(exits)
