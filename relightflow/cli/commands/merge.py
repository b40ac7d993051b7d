"""`relightflow merge`: the shards of a plan become one state, one delivery and one manifest."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.delivering import deliver_stored
from relightflow.cli.params import RecipeArguments
from relightflow.errors import Exit, UsageError, gravest
from relightflow.maintenance.merge import merge
from relightflow.model.plan import Plan, Selection
from relightflow.plugins.records import OperatorPolicy
from relightflow.report import json
from relightflow.report.maintenance import merged as words
from relightflow.store.state_dir import StateDir, locate


@click.command
@params.recipes
@click.option(
    "--from", "folders", multiple=True, required=True, type=params.FILE, metavar="DIR",
    help="State folder of a shard, or a folder of such folders. Repeatable.",
)  # fmt: skip
@params.selection
@params.state
@params.operator
@params.output()
def command(
    reading: RecipeArguments,
    folders: tuple[Path, ...],
    selection: Selection,
    state: Path | None,
    operator: OperatorPolicy,
    console: Console,
) -> Exit:
    """Unite the states of shards, and deliver their results.

    Name the recipe and the options that the shards were run with; shards of another plan are refused.
    What the shards bought becomes part of the state (--state), and all results are delivered with one
    manifest, the same as that of a run without shards. Nothing is bought: calls that are still open are
    collected, and unknown outcomes stay unknown. Merging again changes nothing.

    Ends with the most severe exit code of the shards, with 75 if one is missing, and with 1 if a job was
    bought more than once. With --json, prints what was merged, then one summary per recipe.
    """
    registry = opening.registry(console)

    def step(path: Path) -> tuple[Plan, StateDir]:
        recipe = api.load(path, registry, reading.overrides, reading.backend)
        state_dir = locate(path, state, os.environ)
        return api.plan(recipe, registry, selection, operator, state_dir), state_dir

    opened = [found for _, found in opening.each(reading, console, step)]
    problems = [found for found in opened if isinstance(found, Exit)]
    if problems:
        return gravest(problems)
    plans = [found[0] for found in opened if not isinstance(found, Exit)]
    targets = {found[1] for found in opened if not isinstance(found, Exit)}
    if len(targets) > 1:
        raise UsageError("the recipes have different states; name the one to merge into: --state")
    target = targets.pop()
    found = asyncio.run(merge(plans, _shards(folders), target))
    say = console.answer if found.exit is Exit.OK else console.issue
    say(words(found))
    console.document(json.text(json.merged(found)))
    exits = [
        deliver_stored(plan, registry, target, operator, console, Exit.EARLY) for plan in plans
    ]
    return gravest([found.exit, *exits])


def _shards(given: tuple[Path, ...]) -> list[Path]:
    """The state folders: each that was named, or those in it. Raises UsageError where there are none."""
    folders: list[Path] = []
    for folder in given:
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder; nothing was merged")
        inside = sorted(path.parent for path in folder.glob("*/shard.json"))
        folders += [folder] if (folder / "shard.json").exists() or not inside else inside
    return folders
