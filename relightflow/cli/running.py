"""What `run` and `apply` share: the options of a run, the consent before it, and what it prints.

A new option of a run is one field of `RunFlags` and one line of `flags`; both commands have it then.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.looking import looked_at
from relightflow.cli.types import duration, reads
from relightflow.errors import (
    BudgetError,
    Exit,
    RelightflowError,
    StorageError,
    UsageError,
    gravest,
)
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.money import Micros
from relightflow.model.plan import Plan
from relightflow.model.recipe import Recipe
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.model.summary import Summary
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.recipe.checks import with_checks
from relightflow.report import consent as asking
from relightflow.report import escape, json, progress
from relightflow.report.summary import summary as words
from relightflow.run.limits.consent import Consent, confirmed, consent, unasked
from relightflow.run.limits.spend import identity, shared_limits, with_recipe_limits
from relightflow.run.plan_status import open_view, plan_status
from relightflow.run.restoring import StateReader, open_state_reader
from relightflow.store.atomic import write_atomic
from relightflow.store.state_dir import StateDir


@dataclass(frozen=True, slots=True)
class RunFlags:
    """What only a command that buys can be told."""

    yes: bool
    overwrite: bool
    buy_again: bool
    collect_only: bool
    stop_after: float | None
    wait: bool
    fail_if_empty: bool
    junit: Path | None
    check: bool
    retry_failed_checks: bool = False
    """Only of `run`: what `apply` makes was approved before."""


def flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """`wanted`: the options of a run that are no limit."""

    @click.option("--yes", "-y", is_flag=True, help="Skip the purchase confirmation.")
    @click.option("--overwrite", is_flag=True, help="Replace output files that were edited.")
    @click.option(
        "--buy-again", is_flag=True,
        help="Buy results again that another state has already bought, according to a manifest "
        "or a nearby state.",
    )  # fmt: skip
    @click.option(
        "--collect-only",
        is_flag=True,
        hidden=True,
        help="Collect what was paid for; submit nothing new.",
    )
    @click.option(
        "--stop-after", callback=reads(duration), metavar="TIME",
        help="Stop submitting after this time, such as 50m; calls in flight are collected.",
    )  # fmt: skip
    @click.option(
        "--wait", is_flag=True,
        help="Wait until unknown outcomes are settled by the provider's records.",
    )  # fmt: skip
    @click.option(
        "--fail-if-empty", is_flag=True, help="End with exit code 2 if no image is found."
    )
    @click.option(
        "--junit", type=params.FILE, metavar="FILE",
        help="Write a JUnit report: one case per output and check, failures with billed or not.",
    )  # fmt: skip
    @click.option(
        "--check", is_flag=True,
        help="Check the results with the default checks if the recipe names none.",
    )  # fmt: skip
    @functools.wraps(command)
    def gathered(*args: Any, **rest: Any) -> Any:
        wanted = RunFlags(**{name: rest.pop(name) for name in RunFlags.__slots__ if name in rest})
        return command(*args, wanted=wanted, **rest)

    return gathered


@dataclass(frozen=True, slots=True)
class PlannedRun:
    plan: Plan
    state_dir: StateDir
    limits: tuple[SpendLimit, ...] = ()
    """Of the plan file: they hold as well."""
    plan_sha256: str = ""
    """Of the plan file; empty: none is applied."""


def run_all(
    ready: Sequence[PlannedRun],
    registry: Registry,
    operator: OperatorPolicy,
    given: RunOptions,
    wanted: RunFlags,
    console: Console,
) -> Exit:
    """Run each plan, within the limits `given` for all of them together."""
    api.check_places([(found.plan, found.state_dir) for found in ready], registry, operator)
    run_options = _shared(ready, given, operator)
    exits: list[Exit] = []
    ended: list[tuple[Recipe, Summary]] = []
    for found in ready:
        try:
            found = _with_checks(found, registry, wanted, console)
            agreed = _agreed(found, run_options(found), wanted, registry, operator, console)
            came_to = _run(found, registry, operator, agreed, console)
        except RelightflowError as problem:
            opening.tell(found.plan.recipe.path, problem, console)
            exits.append(problem.exit_code)
            continue
        came_to = params.with_next_run(came_to, params.typed())
        ended.append((found.plan.recipe, came_to))
        exits.append(came_to.exit)
        say = console.issue if came_to.issues else console.answer
        say(words(came_to, console.columns, str(Path.cwd())))
        console.document(json.text(json.summary(came_to)))
        shown = looked_at(found.plan.recipe, registry)
        if shown and console.columns:
            console.answer(f"look at {escape.terminal(os.path.relpath(shown))}")
        if came_to.exit in (Exit.INTERRUPTED, Exit.TERMINATED):
            break
    if wanted.junit:
        _write_junit(wanted.junit, ended)
    return gravest(exits)


def _with_checks(
    found: PlannedRun, registry: Registry, wanted: RunFlags, console: Console
) -> PlannedRun:
    """With --check and --retry-failed-checks: the default checks, and repeats for what fails them."""
    if not wanted.check and not wanted.retry_failed_checks:
        return found
    plan = found.plan.with_recipe(with_checks(found.plan.recipe, registry))
    if wanted.retry_failed_checks:
        from relightflow.maintenance.check import retry_failed_checks  # brings the gallery along

        plan, count = retry_failed_checks(plan, registry, found.state_dir)
        console.say(asking.retries(plan, count))
    return replace(found, plan=plan)


def _write_junit(path: Path, ended: Sequence[tuple[Recipe, Summary]]) -> None:
    """Raises StorageError."""
    from relightflow.report import junit  # XML brings a HTTP client along

    suites = [junit.of_run(recipe, Path(summary.manifest)) for recipe, summary in ended]
    pieces = (piece.encode() for piece in junit.document(suites))
    try:
        write_atomic(path.absolute().parent, path.name, pieces, durable=False)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error


def _shared(
    ready: Sequence[PlannedRun], given: RunOptions, operator: OperatorPolicy
) -> Callable[[PlannedRun], RunOptions]:
    """The options of each run: what the recipes of this command cost counts together."""

    def options(run: PlannedRun) -> RunOptions:
        here = [other for other in ready if other.state_dir == run.state_dir]
        away = [other for other in ready if other.state_dir != run.state_dir]
        elsewhere = sum(_cost(other, operator) for other in away)
        together = [identity(other.plan.recipe) for other in here]
        shared = shared_limits(given.limits, together, elsewhere)
        limits = (*shared, *run.limits)
        options = replace(given, limits=limits, plan_sha256=run.plan_sha256)
        return with_recipe_limits(options, run.plan.recipe)

    return options


def _cost(run: PlannedRun, operator: OperatorPolicy) -> Micros:
    """What its recipe has cost in its state, or may have. Blocks."""
    with open_state_reader(run.state_dir) as state:
        return api.cost(run.plan.recipe, state, operator)


def _agreed(
    found: PlannedRun,
    run_options: RunOptions,
    wanted: RunFlags,
    registry: Registry,
    operator: OperatorPolicy,
    console: Console,
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
    priced = all(spec.model.price is not None for spec in recipe.backends)
    known = priced or run_options.price is not None
    if (found.plan.price and found.plan.price.free) or (run_options.limits and known):
        # nobody need be asked, so nothing need be counted
        return unasked(run_options, recipe.free) if recipe.more_backends else run_options
    with open_state_reader(found.state_dir) as state:
        seen, fault = _estimate(found, state, run_options, operator)
        asks = not fault and consent(seen) is Consent.NEEDED
        spent = api.cost(recipe, state, operator) if asks else 0
    if fault:
        console.warn(asking.no_store(recipe.name, fault))
        return unasked(run_options, recipe.free)
    given = consent(seen)
    if given is Consent.NO_PRICE:
        raise UsageError(asking.no_price(recipe, typed))
    if given is Consent.NEEDED:
        cap = spent + (seen.price.high if seen.price else 0)
        if not console.can_ask:
            raise BudgetError(asking.no_limit(seen, recipe.name, typed, cap))
        told = api.disclosures(found.plan, registry)
        question = asking.question(seen, recipe.name, told, recipe.rehearsed)
        if not wanted.yes and not console.ask(question):
            raise BudgetError("not confirmed; nothing was sent")
        return confirmed(run_options, cap)
    return unasked(run_options, recipe.free)


def _estimate(
    found: PlannedRun, state: StateReader, run_options: RunOptions, operator: OperatorPolicy
) -> tuple[CostEstimate, str]:
    """What the run would buy, and why the shared store could not be asked; empty: it could. The store is
    asked for every job only where the price is shown: the run asks again before it buys."""
    plan = found.plan
    seen = api.estimate_cost(plan, plan_status(plan, state), run_options, state, operator)
    if not operator.store or consent(seen) is Consent.GIVEN:
        return seen, ""
    status = plan_status(plan, state, open_view(plan.recipe, operator))
    return api.estimate_cost(plan, status, run_options, state, operator), status.store_fault


def _run(
    found: PlannedRun,
    registry: Registry,
    operator: OperatorPolicy,
    run_options: RunOptions,
    console: Console,
) -> Summary:
    with _watching(found.plan.recipe.name, console) as watch:
        return asyncio.run(
            api.run(found.plan, registry, found.state_dir, run_options, operator, watch)
        )


def _watching(name: str, console: Console) -> AbstractContextManager[RunCallbacks]:
    if console.quiet:
        return progress.silent()
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        from relightflow.report import bar  # rich is heavy, and only a terminal needs it

        return bar.shown(name, sys.stderr)
    return progress.plain(name, console.say)
