"""`relightflow run`: makes what is missing, within the cap, and delivers it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params, running
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.cli.running import PlannedRun, RunFlags
from relightflow.errors import Exit, UsageError, gravest
from relightflow.model.plan import Selection, Shard
from relightflow.model.run_options import RunOptions
from relightflow.plugins.records import OperatorPolicy
from relightflow.store.state_dir import locate


@click.command
@params.recipes
@params.selection
@params.shard
@params.state
@params.operator
@params.spending
@params.executor
@running.flags
@click.option(
    "--retry-failed-checks", is_flag=True,
    help="Make one more repeat, within the cap, in the place of each result that fails a check.",
)  # fmt: skip
@params.output()
def command(
    reading: RecipeArguments,
    selection: Selection,
    shard: Shard | None,
    state: Path | None,
    operator: OperatorPolicy,
    run_options: RunOptions,
    wanted: RunFlags,
    console: Console,
) -> Exit:
    """Make missing results within the cap, and deliver them.

    Where no RECIPE is named it is recipe.yaml, or the only recipe in recipes/. All recipes are checked
    before the first one runs; if one is invalid, nothing is sent. A paid run
    needs a cap or a budget: without one, a run on a terminal asks for confirmation and any other run is
    refused. Of several recipes, --max-cost is what they may cost together. With --json, prints one summary per recipe, one per
    line.
    """
    registry = opening.registry(console, state)

    def step(path: Path) -> PlannedRun:
        recipe = api.load(path, registry, reading.overrides, reading.backend)
        state_dir = locate(path, state, os.environ)
        plan = api.plan(
            recipe, registry, replace(selection, shard=shard), operator, state_dir, run_options
        )
        api.check_complete(plan)
        if wanted.fail_if_empty and not plan.outputs_count:
            raise UsageError("no image was found or selected, and --fail-if-empty was given")
        return PlannedRun(plan, state_dir)

    opened = list(opening.each(reading, console, step))
    problems = [found for _, found in opened if isinstance(found, Exit)]
    if problems:
        return gravest(problems)
    ready = [found for _, found in opened if isinstance(found, PlannedRun)]
    for found in ready:
        opening.warn_of(found.plan.warnings, console)
    return running.run_all(ready, registry, operator, run_options, wanted, console)
