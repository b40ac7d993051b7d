"""`relightflow plan`: what a run would make and cost, without making anything."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params, streams
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.errors import Exit, gravest
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.plan import Plan, Selection
from relightflow.model.plan_status import PlanStatus
from relightflow.model.run_options import RunOptions
from relightflow.plan.outputs import outputs
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.report import json
from relightflow.report import plan as words
from relightflow.run.limits.spend import with_recipe_limits
from relightflow.store.state_dir import locate


@dataclass(frozen=True, slots=True)
class _PlannedRecipe:
    plan: Plan
    plan_status: PlanStatus
    estimate_cost: CostEstimate


@click.command
@params.recipes
@params.selection
@params.state
@params.operator
@params.spending
@click.option("--jobs", is_flag=True, help="List every output as a table.")
@click.option("--exit-code", is_flag=True, help="End with exit code 3 if there is work to do.")
@params.output()
def command(
    reading: RecipeArguments,
    selection: Selection,
    state: Path | None,
    operator: OperatorPolicy,
    run_options: RunOptions,
    jobs: bool,
    exit_code: bool,
    console: Console,
) -> Exit:
    """Show what a run would make, and its price.

    Nothing is sent, bought or written. With --json, prints one document per recipe, one per line.
    """
    registry = opening.registry(console)
    exits = []

    def step(path: Path) -> _PlannedRecipe:
        return _look(path, registry, reading, selection, state, operator, run_options)

    for _, seen in opening.each(reading, console, step):
        if isinstance(seen, Exit):
            exits.append(seen)
            continue
        opening.warn_of(seen.plan.warnings, console)
        _show(seen, jobs, console)
        if exit_code and (seen.plan_status.work or seen.estimate_cost.calls):
            exits.append(Exit.WORK_TO_DO)
    return gravest(exits)


def _look(
    path: Path,
    registry: Registry,
    reading: RecipeArguments,
    selection: Selection,
    state: Path | None,
    operator: OperatorPolicy,
    run_options: RunOptions,
) -> _PlannedRecipe:
    recipe = api.load(path, registry, reading.overrides, reading.backend)
    state_dir = locate(path, state, os.environ)
    plan = api.plan(recipe, registry, selection, operator, state_dir)
    plan_status = replace(
        api.plan_status(plan, state_dir),
        elsewhere=api.bought_elsewhere(plan, registry, operator, state_dir),
    )
    options = with_recipe_limits(run_options, recipe)
    estimate = api.estimate_cost(plan, plan_status, options, state_dir)
    return _PlannedRecipe(plan, plan_status, estimate)


def _show(seen: _PlannedRecipe, jobs: bool, console: Console) -> None:
    console.answer(words.plan(seen.plan, seen.plan_status, seen.estimate_cost, console.columns))
    if jobs:
        console.answer("")
        for line in words.jobs(seen.plan, outputs(seen.plan), console.columns):
            if streams.unread():
                break
            console.answer(line)
    document = json.plan(seen.plan, seen.plan_status, seen.estimate_cost)
    listed = map(json.output, outputs(seen.plan))
    console.document(json.stream(document, "outputs", listed) if jobs else json.text(document))
