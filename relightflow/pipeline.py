"""The product on one screen.

    recipe.yaml ─load→ Recipe ─expand→ Plan ─run→ Outcome, Outcome, … ─deliver→ sinks + manifest
                                                                     ─summarise→ Summary

Data goes one way. The ledger and the blob store beside it know what was asked, paid and received.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing, closing
from dataclasses import replace
from pathlib import Path

from relightflow.deliver.complete import Pass, complete
from relightflow.deliver.journal import MANIFEST, Journal, write_summary
from relightflow.deliver.place import places
from relightflow.deliver.stream import deliver, opened_desk
from relightflow.model.plan import Plan, Selection
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.summary import Summary
from relightflow.model.survey import Survey
from relightflow.model.terms import Terms
from relightflow.model.values import FrozenMap
from relightflow.model.watch import Watch
from relightflow.plan.build import build
from relightflow.plan.names import check_names
from relightflow.plugins.opening import opened_sources
from relightflow.plugins.records import Operator
from relightflow.plugins.registry import Registry
from relightflow.recipe.loading import load as read_recipe
from relightflow.report import json
from relightflow.report.troubles import Troubles
from relightflow.run.engine import run as engine
from relightflow.run.interrupt import deadline, heeding_signals
from relightflow.run.setup import opened, sharing, workbench
from relightflow.run.survey import survey as standing_of
from relightflow.store.home import Home
from relightflow.summarise import summarise


def load(
    path: Path, registry: Registry, overrides: Sequence[str] = (), backend: str = ""
) -> Recipe:
    """The recipe at `path`, checked. `backend`: make it with this one's default model instead.

    Raises InvalidRecipe with everything that is wrong, UsageError for an unknown backend.
    """
    recipe = read_recipe(path, registry, overrides)
    if backend and backend != recipe.backend.type:
        model = registry.backend(backend).models[0]
        recipe = replace(recipe, backend=BackendSpec(backend, model, FrozenMap()))
    return recipe


def expand(
    recipe: Recipe, registry: Registry, selection: Selection, operator: Operator, home: Home
) -> Plan:
    """What the recipe would make of the images there are. Blocks; writes nothing but a cache.

    Raises InvalidRecipe, UsageError, RefusedError.
    """
    cache = home.cache if home.cache.is_dir() else None
    with opened_sources(recipe, registry, operator, cache) as sources:
        plan = build(recipe, sources.scan(), selection)
    sinks = enumerate(recipe.sinks)
    named = ((n, spec) for n, spec in sinks if registry.sink(spec.type).takes_names)
    check_names(plan, [(n, spec.options.get("name")) for n, spec in named])
    return plan


def survey(plan: Plan, home: Home) -> Survey:
    """How the plan stands against the ledger. Blocks; creates nothing."""
    return standing_of(plan, home)


async def run(
    plan: Plan, registry: Registry, home: Home, terms: Terms, operator: Operator, watch: Watch
) -> Summary:
    """Make what is missing, deliver it, say what it came to. Heeds SIGINT and SIGTERM.

    Raises EarlyStop (another run holds the lock), StorageError, AccountError, UsageError; a job's
    failure is part of the summary.
    """
    recipe = plan.recipe
    run_id = time.strftime("%Y%m%dT%H%M%SZ-", time.gmtime()) + secrets.token_hex(3)
    troubles = Troubles()
    async with AsyncExitStack() as stack:
        state = stack.enter_context(opened(home, f"relightflow run, process {os.getpid()},"))
        sources = stack.enter_context(opened_sources(recipe, registry, operator, home.cache))
        await asyncio.to_thread(sources.remember, plan.images)
        at = places(recipe, registry, operator)
        desk = stack.enter_context(opened_desk(at, state.ledger, home, terms.overwrite))
        journal = stack.enter_context(closing(Journal(home.runs / run_id)))
        record = registry.backend(recipe.backend.type)
        laid_out = workbench(
            plan, record, state, terms, operator, run_id,
            sources.read, watch.on_notice, public_url=sources.public_url,
        )  # fmt: skip
        bench = await stack.enter_async_context(laid_out)
        bench = await stack.enter_async_context(sharing(bench, operator, watch.on_notice))
        stack.enter_context(heeding_signals(bench.brake, state.ledger.close))
        stack.enter_context(deadline(bench.brake, terms.stop_after, recipe.backend.model))
        await state.ledger.run_started(run_id, recipe.name)
        watch.on_start(bench.board.snapshot)
        _tell(
            registry,
            watch,
            "relightflow_run_started",
            recipe=recipe,
            run_id=run_id,
            jobs=plan.jobs_count,
        )
        outcomes = deliver(engine(plan, bench, submit=not terms.collect_only), desk)
        async with aclosing(outcomes):
            async for outcome in outcomes:
                troubles.outcome(outcome)
                journal.outcome(outcome)
                watch.on_outcome(outcome)
                _tell(registry, watch, "relightflow_job_finished", run_id=run_id, outcome=outcome)
        work = Pass(plan, desk, journal.folder, sources.read, troubles.standing)
        completion = await asyncio.to_thread(complete, work)
        await asyncio.to_thread(journal.share_manifest)
        manifest = str(journal.folder / MANIFEST)
        summary = summarise(plan, bench, desk, completion, troubles, terms, manifest)
        await asyncio.to_thread(write_summary, journal.folder, json.summary(summary))
        goes_on = bench.free or terms.collect_only or summary.resumable
        await state.ledger.run_ended(run_id, summary.exit, goes_on)
        _tell(registry, watch, "relightflow_run_finished", run_id=run_id, exit_code=summary.exit)
    return summary


def _tell(registry: Registry, watch: Watch, hook: str, **facts: object) -> None:
    """Notify plugins; one that raises is named once and costs only itself."""
    for warning in registry.notify(hook, **facts):
        watch.on_notice(warning)
