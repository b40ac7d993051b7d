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
from relightflow.plan import file as plan_file
from relightflow.plugins.records import OperatorPolicy
from relightflow.report import json
from relightflow.report import json_maintenance as documents
from relightflow.report.maintenance import merged as words
from relightflow.store.rehearsal import rehearsing
from relightflow.store.state_dir import locate


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

    Name the plan file, or the recipe and the options that the shards were run with; shards of another
    plan are refused.
    What the shards bought becomes part of the state (--state), and all results are delivered with one
    manifest, the same as that of a run without shards. Nothing is bought: calls that are still open are
    collected, and unknown outcomes stay unknown. Merging again changes nothing.

    Ends with the most severe exit code of the shards, with 75 if one is missing, and with 1 if a job was
    bought more than once. With --json, prints what was merged, then one summary per recipe.
    """
    registry = opening.registry(console, state)

    def step(path: Path) -> list[Plan]:
        if path.suffix == ".json":
            _check_alone(reading, selection)
            file = plan_file.read(path)
            return [
                api.compare(planned, file, registry, operator, state=state).plan
                for planned in file.plans
            ]
        recipe = api.load(path, registry, reading.overrides, reading.backend)
        state_dir = locate(path, state, os.environ)
        return [api.plan(recipe, registry, selection, operator, state_dir)]

    opened = [found for _, found in opening.each(reading, console, step)]
    problems = [found for found in opened if isinstance(found, Exit)]
    if problems:
        return gravest(problems)
    plans = [plan for found in opened if not isinstance(found, Exit) for plan in found]
    targets = {locate(plan.recipe.path, state, os.environ) for plan in plans}
    if len(targets) > 1:
        raise UsageError("the recipes have different states; name the one to merge into: --state")
    target = targets.pop()
    found = asyncio.run(merge(plans, _shards(folders), target))
    say = console.answer if found.exit is Exit.OK else console.issue
    say(words(found))
    console.document(json.text(documents.merged(found)))
    exits = [
        deliver_stored(plan, registry, target, operator, console, Exit.EARLY) for plan in plans
    ]
    return gravest([found.exit, *exits])


def _shards(given: tuple[Path, ...]) -> list[Path]:
    """The state folders: each that was named, or those in it. Raises UsageError where there are none."""
    inner = "rehearsal/shard.json" if rehearsing(os.environ) else "shard.json"
    folders: list[Path] = []
    for folder in given:
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder; nothing was merged")
        inside = sorted(path.parent for path in folder.glob(f"*/{inner}"))
        own = (folder / inner).parent
        folders += inside if inside and not (folder / inner).exists() else [own]
    return folders


def _check_alone(reading: RecipeArguments, selection: Selection) -> None:
    """Raises UsageError where a plan file is to be changed: it says all that the shards were run with."""
    if reading.overrides or reading.backend or selection != Selection():
        raise UsageError(
            "--set, --backend, --only, --limit and --picks cannot change a plan file; leave them out"
        )
