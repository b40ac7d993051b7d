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

from relightflow.deliver.complete import complete
from relightflow.deliver.stream import deliver
from relightflow.model.plan import Plan, Selection
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.summary import Summary
from relightflow.model.survey import Survey
from relightflow.model.terms import Terms
from relightflow.model.values import FrozenMap
from relightflow.model.watch import Watch
from relightflow.plan.build import Expanded, build
from relightflow.plan.build import expand as expand_matrix
from relightflow.plan.names import check_fields, check_names
from relightflow.plugins.opening import opened_sources
from relightflow.plugins.records import Operator
from relightflow.plugins.registry import Registry
from relightflow.recipe.loading import load as read_recipe
from relightflow.run.engine import run as engine
from relightflow.run.survey import survey as standing_of
from relightflow.shift import opened_shift
from relightflow.store.home import Home


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
        f"what '{backend}' makes goes where the pictures of '{recipe.backend.type}' go: files of the "
        "same name and the manifest are replaced there (what was paid for stays in the store). "
        "--set 'sinks[0].path=draft/' keeps the two apart"
    )


def check(recipe: Recipe, registry: Registry) -> Expanded:
    """The recipe's cells, and all that can be wrong without an image. Raises InvalidRecipe."""
    expanded = expand_matrix(recipe)
    check_fields(recipe, expanded.axes, _templates(recipe, registry))
    return expanded


def expand(
    recipe: Recipe, registry: Registry, selection: Selection, operator: Operator, home: Home
) -> Plan:
    """What the recipe would make of the images there are. Blocks; writes nothing but a cache.

    Raises InvalidRecipe, UsageError, RefusedError.
    """
    cache = home.cache if home.cache.is_dir() else None
    with opened_sources(recipe, registry, operator, cache) as sources:
        plan = build(recipe, sources.scan(), selection)
    check_names(plan, _templates(recipe, registry))
    return plan


def _templates(recipe: Recipe, registry: Registry) -> list[tuple[int, str | None]]:
    """The index of every sink that takes names, and its `name`."""
    sinks = enumerate(recipe.sinks)
    named = ((n, spec) for n, spec in sinks if registry.sink(spec.type).takes_names)
    return [(n, spec.options.get("name")) for n, spec in named]


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
    async with opened_shift(plan, registry, home, terms, operator, watch) as shift:
        await shift.begin()
        outcomes = deliver(engine(plan, shift.bench, submit=not terms.collect_only), shift.desk)
        async with aclosing(outcomes):
            async for outcome in outcomes:
                shift.hear(outcome)
        completion = await asyncio.to_thread(complete, shift.last_pass)
        return await shift.end(completion)
