"""`relightflow adopt`: results that were bought with another state, from the sink's manifest."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.deliver.target import open_targets
from relightflow.errors import Exit, gravest
from relightflow.maintenance.adopt import Adopted, adopt
from relightflow.model.plan import Selection
from relightflow.plugins.records import OperatorPolicy
from relightflow.report import escape, json
from relightflow.report.text import count, listing, money
from relightflow.store.state_dir import locate


@click.command
@params.recipes
@params.selection
@params.state
@params.operator
@params.output()
def command(
    reading: RecipeArguments,
    selection: Selection,
    state: Path | None,
    operator: OperatorPolicy,
    console: Console,
) -> Exit:
    """Take over results that a manifest in a sink calls done.

    For a clone of a repository, or a machine without the state that bought the images. Files that match
    the manifest become results of this state at the price that it tells; nothing is bought or sent.
    Ends with 9 where a file is missing, edited, or only a copy in another format.
    """
    registry = opening.registry(console, state)
    exits = []

    def step(path: Path) -> Adopted:
        recipe = api.load(path, registry, reading.overrides, reading.backend)
        state_dir = locate(path, state, os.environ)
        plan = api.plan(recipe, registry, selection, operator, state_dir)
        targets = open_targets(recipe, registry, operator)
        return asyncio.run(adopt(plan, targets, state_dir))

    for path, found in opening.each(reading, console, step):
        if isinstance(found, Exit):
            exits.append(found)
            continue
        console.answer(_words(path, found))
        console.document(json.text(json.adopted(found.results, found.price, found.left)))
        exits.append(found.exit)
    return gravest(exits)


def _words(path: Path, found: Adopted) -> str:
    head = f"{escape.terminal(str(path))}: {count(found.results, 'result')} adopted"
    lines = [f"{head}, {money(found.price)}; nothing was bought"]
    if found.left:
        lines.append(
            f"! {count(len(found.left), 'job')} not adopted: the file is missing, edited, or a copy in "
            "another format. 'relightflow run --buy-again' buys them again"
        )
        lines += listing([key[:16] for key in found.left[:10]], len(found.left))
    return "\n".join(lines)
