"""`relightflow run`: makes what is missing, within the cap, and delivers it."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.looking import looked_at
from relightflow.cli.params import RecipeArguments
from relightflow.cli.types import duration, reads
from relightflow.errors import BudgetError, Exit, RelightflowError, UsageError, gravest
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.plan import Plan, Selection
from relightflow.model.run_options import RunOptions
from relightflow.model.summary import Summary
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.report import consent as asking
from relightflow.report import escape, json, progress
from relightflow.report.summary import summary as words
from relightflow.run.limits.consent import Consent, affordable, confirmed, consent, unasked
from relightflow.run.limits.spend import identity, shared_limits, with_recipe_limits
from relightflow.store.state_dir import StateDir, locate


@dataclass(frozen=True, slots=True)
class _RunFlags:
    """What only `run` can be told."""

    yes: bool
    overwrite: bool
    buy_again: bool
    collect_only: bool
    stop_after: float | None
    wait: bool
    fail_if_empty: bool


@dataclass(frozen=True, slots=True)
class _PlannedRun:
    plan: Plan
    state_dir: StateDir


@click.command
@params.recipes
@params.selection
@params.state
@params.operator
@params.spending
@click.option("--yes", "-y", is_flag=True, help="Skip the purchase confirmation.")
@click.option("--overwrite", is_flag=True, help="Replace output files that were edited.")
@click.option(
    "--buy-again", is_flag=True,
    help="Buy results again that another state has already bought, according to a manifest "
    "or a nearby state.",
)  # fmt: skip
@click.option("--collect-only", is_flag=True, help="Collect what was paid for; submit nothing new.")
@click.option(
    "--stop-after", callback=reads(duration), metavar="TIME",
    help="Stop submitting after this time, such as 50m; calls in flight are collected.",
)  # fmt: skip
@click.option(
    "--wait",
    is_flag=True,
    help="Wait until unknown outcomes are settled by the provider's records.",
)
@click.option("--fail-if-empty", is_flag=True, help="End with exit code 2 if no image is found.")
@params.output()
def command(
    reading: RecipeArguments,
    selection: Selection,
    state: Path | None,
    operator: OperatorPolicy,
    run_options: RunOptions,
    console: Console,
    **wishes: object,
) -> Exit:
    """Make missing results within the cap, and deliver them.

    All recipes are checked before the first one runs; if one is invalid, nothing is sent. A paid run
    needs a cap or a budget: without one, a run on a terminal asks for confirmation and any other run is
    refused. Of several recipes, --max-cost is what they may cost together. With --json, prints one summary per recipe, one per
    line.
    """
    registry = opening.registry(console)
    wanted = _RunFlags(**wishes)  # type: ignore[arg-type]  # click hands over exactly these options

    def step(path: Path) -> _PlannedRun:
        recipe = api.load(path, registry, reading.overrides, reading.backend)
        state_dir = locate(path, state, os.environ)
        if any(registry.source(source.type).fetches for source in recipe.sources):
            state_dir.create()  # so early, so that what is fetched for the plan is kept for the run
        plan = api.plan(recipe, registry, selection, operator, state_dir)
        if wanted.fail_if_empty and not plan.outputs_count:
            raise UsageError("no image was found or selected, and --fail-if-empty was given")
        return _PlannedRun(plan, state_dir)

    opened = list(opening.each(reading, console, step))
    problems = [found for _, found in opened if isinstance(found, Exit)]
    if problems:
        return gravest(problems)
    ready = [found for _, found in opened if isinstance(found, _PlannedRun)]
    for found in ready:
        opening.warn_of(found.plan.warnings, console)
    return _run_all(ready, registry, operator, _shared(ready, run_options), wanted, console)


def _run_all(
    ready: list[_PlannedRun],
    registry: Registry,
    operator: OperatorPolicy,
    run_options: Callable[[_PlannedRun], RunOptions],
    wanted: _RunFlags,
    console: Console,
) -> Exit:
    exits: list[Exit] = []
    for found in ready:
        try:
            agreed = _agreed(found, run_options(found), wanted, console)
            came_to = _run(found, registry, operator, agreed, console)
        except RelightflowError as problem:
            opening.tell(found.plan.recipe.path, problem, console)
            exits.append(problem.exit_code)
            continue
        came_to = _retyped(came_to)
        exits.append(came_to.exit)
        say = console.issue if came_to.issues else console.answer
        say(words(came_to, console.columns, str(Path.cwd())))
        console.document(json.text(json.summary(came_to)))
        shown = looked_at(found.plan.recipe, registry)
        if shown and sys.stdout.isatty():
            console.answer(f"look at {escape.terminal(os.path.relpath(shown))}")
        if came_to.exit in (Exit.INTERRUPTED, Exit.TERMINATED):
            break
    return gravest(exits)


def _shared(ready: list[_PlannedRun], given: RunOptions) -> Callable[[_PlannedRun], RunOptions]:
    """The options of each run: what the recipes of this command cost counts together."""

    def options(run: _PlannedRun) -> RunOptions:
        here = [other for other in ready if other.state_dir == run.state_dir]
        away = [other for other in ready if other.state_dir != run.state_dir]
        elsewhere = sum(api.cost(other.plan.recipe, other.state_dir) for other in away)
        together = [identity(other.plan.recipe) for other in here]
        shared = shared_limits(given.limits, together, elsewhere)
        return with_recipe_limits(replace(given, limits=shared), run.plan.recipe)

    return options


def _agreed(
    found: _PlannedRun, run_options: RunOptions, wanted: _RunFlags, console: Console
) -> RunOptions:
    """The options of one run, after whoever has to has said yes. Raises BudgetError, UsageError."""
    recipe, typed = found.plan.recipe, params.typed()
    run_options = replace(
        run_options,
        overwrite=wanted.overwrite,
        buy_again=wanted.buy_again,
        collect_only=wanted.collect_only,
        stop_after=wanted.stop_after,
        wait=wanted.wait,
    )
    if found.plan.price and found.plan.price.free:
        return run_options  # nobody need be asked, so nothing need be counted
    plan_status = api.plan_status(found.plan, found.state_dir)
    seen = api.estimate_cost(found.plan, plan_status, run_options, found.state_dir)
    given = consent(seen)
    if given is Consent.NO_PRICE:
        raise UsageError(asking.no_price(recipe.name, typed))
    if given is Consent.NEEDED:
        cap = api.cost(recipe, found.state_dir) + (seen.price.high if seen.price else 0)
        if not console.can_ask:
            raise BudgetError(asking.no_limit(seen, recipe.name, typed, cap))
        if not wanted.yes and not console.ask(asking.question(seen, recipe.name)):
            raise BudgetError("not confirmed; nothing was sent")
        return confirmed(run_options, cap)
    calls = affordable(seen)
    if calls is not None:
        console.warn(asking.shortfall(seen, recipe.name, calls))
    return unasked(run_options, recipe.backend.model.price)


def _run(
    found: _PlannedRun,
    registry: Registry,
    operator: OperatorPolicy,
    run_options: RunOptions,
    console: Console,
) -> Summary:
    with _watching(found.plan.recipe.name, console) as watch:
        return asyncio.run(
            api.run(found.plan, registry, found.state_dir, run_options, operator, watch)
        )


def _retyped(found: Summary) -> Summary:
    """Where the next thing to type is a run, it is this one, options and all."""
    if not found.next_command.startswith("relightflow run "):
        return found
    typed = list(params.typed())
    if found.next_command.endswith(" --wait") and "--wait" not in typed:
        typed.append("--wait")
    return replace(found, next_command=shlex.join(typed))


def _watching(name: str, console: Console) -> AbstractContextManager[RunCallbacks]:
    if console.quiet:
        return progress.silent()
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from relightflow.report import bar  # rich is heavy, and only a terminal needs it

        return bar.shown(name, sys.stderr)
    return progress.plain(name, console.say)
