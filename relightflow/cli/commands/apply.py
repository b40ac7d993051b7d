"""`relightflow apply`: buys exactly what a plan file says, or says what differs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from relightflow import api
from relightflow.api import Comparison
from relightflow.cli import opening, params, running
from relightflow.cli.console import Console
from relightflow.cli.running import PlannedRun, RunFlags
from relightflow.errors import Exit, RefusedError, UsageError
from relightflow.model.plan import Shard
from relightflow.model.plan_file import PlanFile, PlannedLimit
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.plan import file as plan_file
from relightflow.plan.drift import ACCEPTS, left
from relightflow.plan.planned import price_given
from relightflow.plan.shards import shard_of
from relightflow.plugins.records import OperatorPolicy
from relightflow.report import plan_file as words
from relightflow.store.state_dir import locate

_RECIPE = "limits."
"""What the source of a recipe's own limit begins with; the others are the operator's."""


@click.command
@click.argument("plan", type=params.FILE, metavar="PLAN")
@click.option(
    "--accept", multiple=True, type=click.Choice(tuple(ACCEPTS)), metavar="WHAT",
    help="Apply in spite of a difference: price (a higher price, a lower cap, new unknown "
    "outcomes) or missing (images that are gone). Repeatable.",
)  # fmt: skip
@params.shard
@params.state
@params.operator
@params.spending
@params.executor
@running.flags
@params.output()
def command(
    plan: Path,
    accept: tuple[str, ...],
    shard: Shard | None,
    state: Path | None,
    operator: OperatorPolicy,
    run_options: RunOptions,
    wanted: RunFlags,
    console: Console,
) -> Exit:
    """Buy exactly what a plan file says.

    Where the work differs by now, nothing is bought: exit code 9, with a list of what differs.

    PLAN is a file that `relightflow plan -o` wrote. Edited comments, the order of images, purchases
    made meanwhile and another version of relightflow are no difference; changed images, cells, model
    or selection, a higher price, a lower cap and new unknown outcomes are. Applied twice, a plan buys
    nothing the second time. The caps of the plan hold as well as those given here.
    """
    file = plan_file.read(plan)
    registry = opening.registry(console, state)
    compared = [
        api.compare(planned, file, registry, operator, run_options, state) for planned in file.plans
    ]
    refused = [(one.planned, left(one.drift, accept)) for one in compared]
    if any(found for _, found in refused):
        raise RefusedError(words.refusal(str(plan), refused))
    ready = [_run(one, file, shard, state, console) for one in compared]
    if wanted.fail_if_empty and not all(found.plan.outputs_count for found in ready):
        raise UsageError("no image was found or selected, and --fail-if-empty was given")
    limits = (*run_options.limits, *dict.fromkeys(_operators(file)))
    given = replace(run_options, limits=limits, price=run_options.price or _price(compared))
    return running.run_all(ready, registry, operator, given, wanted, console)


def _run(
    found: Comparison, file: PlanFile, shard: Shard | None, state: Path | None, console: Console
) -> PlannedRun:
    recipe, planned = found.plan.recipe, found.planned
    opening.warn_of(found.plan.warnings, console)
    bought = planned.counts.new - found.now.counts.new
    if bought > 0:
        console.note(f"{recipe.name}: {bought:,} of the plan's {planned.counts.new:,} new jobs are "
                     "bought already")  # fmt: skip
    limits = tuple(_limit(one) for one in planned.limits if one.source.startswith(_RECIPE))
    plan = shard_of(found.plan, shard) if shard else found.plan
    return PlannedRun(plan, locate(recipe.path, state, os.environ), limits, file.sha256)


def _operators(file: PlanFile) -> Iterator[SpendLimit]:
    """The limits of the operator who made the plan: of several recipes, for all of them together."""
    for planned in file.plans:
        yield from (_limit(one) for one in planned.limits if not one.source.startswith(_RECIPE))


def _limit(planned: PlannedLimit) -> SpendLimit:
    return SpendLimit(planned.amount, f"the plan's {planned.source}", planned.window)


def _price(compared: Sequence[Comparison]) -> int | None:
    """What `--price` was, for models without a price of their own."""
    given = (price_given(one.planned, one.plan.recipe) for one in compared)
    return max((price for price in given if price), default=None)
