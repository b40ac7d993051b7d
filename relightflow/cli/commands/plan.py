"""`relightflow plan`: what a run would make and cost, without making anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params, streams
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.errors import Exit, RelightflowError, StorageError, UsageError, gravest
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.plan import Plan, Selection
from relightflow.model.plan_file import PlanFile, PlannedRequest
from relightflow.model.plan_status import PlanStatus
from relightflow.model.run_options import RunOptions
from relightflow.plan import file as plan_file
from relightflow.plan.outputs import outputs
from relightflow.plan.planned import path_in_project, recipe_plan
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.report import json
from relightflow.report import plan as words
from relightflow.report import plan_file as file_words
from relightflow.run.limits.spend import with_recipe_limits
from relightflow.store.atomic import write_atomic
from relightflow.store.state_dir import locate

_SHOW = Path("show")
"""`relightflow plan show FILE…`"""


@dataclass(frozen=True, slots=True)
class _PlannedRecipe:
    plan: Plan
    plan_status: PlanStatus
    estimate_cost: CostEstimate


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line says of every recipe."""

    registry: Registry
    reading: RecipeArguments
    selection: Selection
    state: Path | None
    operator: OperatorPolicy
    run_options: RunOptions


@click.command
@params.recipes
@params.selection
@params.shard
@params.state
@params.operator
@params.spending
@click.option("--jobs", is_flag=True, help="List every output as a table.")
@click.option(
    "-o", "--out", type=params.FILE, metavar="FILE",
    help="Write the plan to a file, for review and for 'relightflow apply'.",
)  # fmt: skip
@click.option("--exit-code", is_flag=True, help="End with exit code 3 if there is work to do.")
@params.output()
def command(
    reading: RecipeArguments,
    selection: Selection,
    state: Path | None,
    operator: OperatorPolicy,
    run_options: RunOptions,
    jobs: bool,
    out: Path | None,
    exit_code: bool,
    console: Console,
) -> Exit:
    """Show what a run would make, and its price.

    Nothing is sent or bought, and nothing is written but the file of -o. With --json, prints one
    document per recipe, one per line. Where no RECIPE is named it is recipe.yaml, or the only recipe in
    recipes/. `relightflow plan show FILE` shows a plan file, and says whether
    it is stale.
    """
    asked = _Asked(opening.registry(console), reading, selection, state, operator, run_options)
    if reading.paths[0] == _SHOW:
        return _show_files(reading.paths[1:], asked, console)
    exits = []
    planned: list[_PlannedRecipe] = []
    for _, seen in opening.each(reading, console, lambda path: _look(path, asked)):
        if isinstance(seen, Exit):
            exits.append(seen)
            continue
        planned.append(seen)
        opening.warn_of(seen.plan.warnings, console)
        _show(seen, jobs, console)
        if exit_code and (seen.plan_status.work or seen.estimate_cost.calls):
            exits.append(Exit.WORK_TO_DO)
    if out and not {*exits} - {Exit.WORK_TO_DO}:
        _write(out, planned, asked, console)
    return gravest(exits)


def _look(path: Path, asked: _Asked) -> _PlannedRecipe:
    registry, operator = asked.registry, asked.operator
    recipe = api.load(path, registry, asked.reading.overrides, asked.reading.backend)
    state_dir = locate(path, asked.state, os.environ)
    plan = api.plan(recipe, registry, asked.selection, operator, state_dir)
    plan_status = replace(
        api.plan_status(plan, state_dir),
        disclosures=api.disclosures(plan, registry),
        elsewhere=api.bought_elsewhere(plan, registry, operator, state_dir),
    )
    options = with_recipe_limits(asked.run_options, recipe)
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


def _write(out: Path, planned: list[_PlannedRecipe], asked: _Asked, console: Console) -> None:
    """Write the plan file. Raises StorageError."""
    reading, selection = asked.reading, asked.selection
    data = plan_file.encode(
        tuple(
            recipe_plan(
                seen.plan,
                seen.plan_status,
                seen.estimate_cost,
                PlannedRequest(
                    path_in_project(seen.plan.recipe.path),
                    reading.overrides,
                    reading.backend,
                    tuple(sorted(selection.only)),
                    selection.limit,
                    selection.picks.sha256 if selection.picks else "",
                ),
            )
            for seen in planned
        )
    )
    try:
        write_atomic(out.absolute().parent, out.name, data, durable=False)
    except OSError as error:
        raise StorageError(f"{out} cannot be written: {error.strerror}") from error
    console.say(f"plan written to {out}; 'relightflow apply {out}' buys exactly this")


def _show_files(paths: tuple[Path, ...], asked: _Asked, console: Console) -> Exit:
    if not paths:
        raise UsageError("name the plan file: relightflow plan show FILE")
    for path in paths:
        file = plan_file.read(path)
        stale = list(_stale(file, asked))
        for line in file_words.plan_file(file, stale, console.columns):
            console.answer(line)
        document = {"kind": "plan-file", "sha256": file.sha256, "stale": stale}
        plans = map(plan_file.document, file.plans)
        console.document(json.stream(document, "plans", plans))
    return Exit.OK


def _stale(file: PlanFile, asked: _Asked) -> Iterator[str]:
    """For each plan of the file what differs by now, in words; a plan can be shown whatever differs."""
    for planned in file.plans:
        try:
            found = api.compare(
                planned, file, asked.registry, asked.operator, asked.run_options, asked.state
            )
        except RelightflowError as problem:
            yield f"cannot be compared with what there is now: {problem}"
        else:
            yield file_words.stale(found.drift)
