"""The product on one screen.

    recipe.yaml ─load→ Recipe ─expand→ Plan ─run→ Outcome, Outcome, … ─deliver→ sinks + manifest
                                                                     ─summarise→ Summary

Data goes one way. The ledger and the blob store beside it know what was asked, paid and received.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from relightflow.deliver.finalize import finalize
from relightflow.deliver.run_folder import write_summary
from relightflow.deliver.stream import deliver
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.plan import Plan, Selection
from relightflow.model.plan_status import PlanStatus
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.run_options import RunOptions
from relightflow.model.summary import Summary
from relightflow.model.values import FrozenMap
from relightflow.plan.build import Expanded, build
from relightflow.plan.build import expand as expand_matrix
from relightflow.plan.names import check_fields, check_names
from relightflow.plugins.opening import open_sources
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.recipe.loading import load as read_recipe
from relightflow.report import json
from relightflow.run.plan_status import plan_status as standing_of
from relightflow.run.session import open_session
from relightflow.store.state_dir import StateDir


def load(
    path: Path, registry: Registry, overrides: Sequence[str] = (), backend: str = ""
) -> Recipe:
    """The recipe at `path`, checked. `backend`: make it with this one's default model instead.

    Raises InvalidRecipe with everything that is wrong, UsageError for an unknown backend.
    """
    recipe = read_recipe(path, registry, overrides)
    if backend and backend != recipe.backend.type:
        model = registry.backend(backend).models[0]
        warnings = recipe.warnings
        if not any(override.startswith("sinks") for override in overrides):
            warnings += (_in_its_place(recipe, backend),)
        recipe = replace(
            recipe, backend=BackendSpec(backend, model, FrozenMap()), warnings=warnings
        )
    return recipe


def _in_its_place(recipe: Recipe, backend: str) -> str:
    return (
        f"what '{backend}' makes goes where the images of '{recipe.backend.type}' go: files of the "
        "same name and the manifest are replaced there (what was paid for stays in the store). "
        "--set 'sinks[0].path=draft/' keeps the two apart"
    )


def check(recipe: Recipe, registry: Registry) -> Expanded:
    """The recipe's cells, and all that can be wrong without an image. Raises InvalidRecipe."""
    expanded = expand_matrix(recipe)
    check_fields(recipe, expanded.axes, _templates(recipe, registry))
    return expanded


def expand(
    recipe: Recipe,
    registry: Registry,
    selection: Selection,
    operator: OperatorPolicy,
    state_dir: StateDir,
) -> Plan:
    """What the recipe would make of the images there are. Blocks; writes nothing but a cache.

    Raises InvalidRecipe, UsageError, RefusedError.
    """
    cache = state_dir.cache if state_dir.cache.is_dir() else None
    with open_sources(recipe, registry, operator, cache) as sources:
        plan = build(recipe, sources.scan(), selection)
    check_names(plan, _templates(recipe, registry))
    return plan


def _templates(recipe: Recipe, registry: Registry) -> list[tuple[int, str | None]]:
    """The index of every sink that takes names, and its `name`."""
    sinks = enumerate(recipe.sinks)
    named = ((n, spec) for n, spec in sinks if registry.sink(spec.type).takes_names)
    return [(n, spec.options.get("name")) for n, spec in named]


def plan_status(plan: Plan, state_dir: StateDir) -> PlanStatus:
    """How the plan stands against the ledger. Blocks; creates nothing."""
    return standing_of(plan, state_dir)


async def run(
    plan: Plan,
    registry: Registry,
    state_dir: StateDir,
    run_options: RunOptions,
    operator: OperatorPolicy,
    callbacks: RunCallbacks,
) -> Summary:
    """Make what is missing, deliver it, say what it came to. Heeds SIGINT and SIGTERM.

    Raises EarlyStop (another run holds the lock), StorageError, AccountError, UsageError; a job's
    failure is part of the summary.
    """
    async with open_session(plan, registry, state_dir, run_options, operator, callbacks) as session:
        await session.begin()
        outcomes = deliver(
            session.engine.run(plan, submit=not run_options.collect_only), session.delivery
        )
        async with aclosing(outcomes):
            async for outcome in outcomes:
                session.record(outcome)
        statuses = await asyncio.to_thread(finalize, session.final_pass)
        summary = await session.end(statuses)
        await asyncio.to_thread(write_summary, session.folder.path, json.summary(summary))
        return summary
