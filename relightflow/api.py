"""The product on one screen.

    recipe.yaml ─load→ Recipe ─plan→ Plan ─run→ Outcome, Outcome, … ─deliver→ sinks + manifest
                                                                    ─summarize→ Summary

Data goes one way. The ledger and the blob store beside it know what was asked, paid and received.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from relightflow.deliver.finalize import finalize
from relightflow.deliver.input_metadata import InputMetadata
from relightflow.deliver.overlap import OtherRecipe, PlannedSinks, check_delivered, check_together
from relightflow.deliver.run_folder import write_summary
from relightflow.deliver.stream import deliver
from relightflow.deliver.target import SinkTarget, open_targets
from relightflow.errors import (
    EarlyStop,
    InvalidRecipe,
    RelightflowError,
    StorageError,
    UsageError,
)
from relightflow.executors.workers import open_asking
from relightflow.ledger.reader import open_reader
from relightflow.maintenance.keep import Keeping
from relightflow.maintenance.keep import keep as keep_files
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.job import SHORT
from relightflow.model.money import Micros
from relightflow.model.plan import Plan, Selection
from relightflow.model.plan_file import PlanFile, PlannedRequest, RecipePlan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.planned_output import PlannedOutput
from relightflow.model.recipe import Recipe
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.model.summary import Summary
from relightflow.plan.build import Expanded, build
from relightflow.plan.build import expand as expand_matrix
from relightflow.plan.drift import Drift, drift
from relightflow.plan.names import check_fields, check_names
from relightflow.plan.planned import find_recipe, planned_selection, price_given, recipe_plan
from relightflow.plugins.opening import check_delivery, open_sources
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.plugins.registry import load as load_plugins
from relightflow.recipe.apart import apart, with_backend
from relightflow.recipe.loading import load as read_recipe
from relightflow.report import json
from relightflow.report import plan as report_plan
from relightflow.run import elsewhere
from relightflow.run.limits.consent import estimate_cost as estimate
from relightflow.run.limits.spend import with_recipe_limits
from relightflow.run.output_actions import output_actions as actions_of
from relightflow.run.plan_status import budgets_now, open_view, run_time
from relightflow.run.plan_status import compare_plans as compare_plans
from relightflow.run.plan_status import plan_status as status_of
from relightflow.run.restoring import StateReader, open_state_reader
from relightflow.run.session import open_session
from relightflow.run.sharding import with_shares
from relightflow.store.rehearsal import rehearsed
from relightflow.store.state_dir import NAME, StateDir, locate

EVERYTHING, CAREFUL = Selection(), OperatorPolicy()
NO_OPTIONS, SILENT = RunOptions(), RunCallbacks()


def load(
    path: Path | str,
    registry: Registry | None = None,
    overrides: Sequence[str] = (),
    backend: str = "",
) -> Recipe:
    """The recipe at `path`, checked.

    `registry`: the plugins; None: all that are installed. `overrides`: as `--set`, such as
    `limits.concurrency=4`. `backend`: make it with this one's default model instead; its results go to
    folders of their own, and so do those of a rehearsal.
    Raises InvalidRecipe with everything that is wrong, UsageError for an unknown backend.
    """
    registry = registry or load_plugins()
    recipe = read_recipe(Path(path), registry, overrides)
    if backend and (recipe.more_backends or backend != recipe.backend.type):
        recipe = with_backend(recipe, backend, registry)
        recipe = _apart(recipe, backend, "results of", overrides, registry)
    paid = [spec.type for spec in recipe.backends if not spec.free]
    brought = {name: loaded.plugin for name, loaded in registry.backends.items()}
    if rehearsed(os.environ, paid, brought):
        recipe = _apart(replace(recipe, rehearsed=True), "rehearsal", "", overrides, registry)
    return recipe


def _apart(
    recipe: Recipe, name: str, what: str, overrides: Sequence[str], registry: Registry
) -> Recipe:
    def shares_folder(sink: str) -> bool:
        return registry.sink(sink).shares_folder

    words = f"{what} '{name}'" if what else "results of a rehearsal"
    return apart(recipe, name, words, overrides, shares_folder)


def check(recipe: Recipe, registry: Registry) -> Expanded:
    """The recipe's cells, and all that can be wrong without an image. Raises InvalidRecipe."""
    expanded = expand_matrix(recipe)
    check_fields(recipe, expanded.axes, _templates(recipe, registry))
    check_delivery(recipe, registry)
    return expanded


def plan(
    recipe: Recipe,
    registry: Registry | None = None,
    selection: Selection = EVERYTHING,
    operator: OperatorPolicy = CAREFUL,
    state_dir: StateDir | None = None,
    run_options: RunOptions = NO_OPTIONS,
) -> Plan:
    """What the recipe would make of the images there are. Blocks; writes nothing but a cache, which holds
    what was downloaded, so that nothing is downloaded twice.

    `registry`, `state_dir`: None: all installed plugins, and where the recipe's state lives. `run_options`:
    whose executor reads the images. Raises InvalidRecipe, UsageError, RefusedError, EarlyStop.
    """
    registry = registry or load_plugins()
    state_dir = state_dir or locate(recipe.path, None, os.environ)
    fetches = any(registry.source(source.type).fetches for source in recipe.sources)
    if fetches and not operator.offline:
        with suppress(OSError, StorageError):  # where nothing can be written, nothing is kept
            state_dir.create()
    cache = state_dir.cache if state_dir.cache.is_dir() else None
    notices: dict[str, None] = {}
    note = notices.setdefault
    with (
        open_asking(registry, run_options, note) as ask,
        open_sources(recipe, registry, operator, cache, note, ask) as sources,
    ):
        made = build(recipe, sources.scan(), selection)
    check_names(made.described, _templates(recipe, registry))
    made = replace(made, warnings=(*made.warnings, *notices))
    with open_reader(state_dir.ledger) as reader:
        retries = reader.retries()
    return made.with_retries(retries) if retries else made


def check_complete(plan: Plan) -> None:
    """Raises EarlyStop where images could not be looked at for now: a run would take them for gone."""
    missing = [item for item in plan.described.rejected if item.passing]
    if missing:
        raise EarlyStop(report_plan.incomplete(missing))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A plan of a file, made again from what there is now."""

    plan: Plan
    planned: RecipePlan
    """As the file has it."""
    now: RecipePlan
    drift: tuple[Drift, ...]
    """What keeps it from being applied; empty: nothing does."""


def compare(
    planned: RecipePlan,
    file: PlanFile,
    registry: Registry,
    operator: OperatorPolicy = CAREFUL,
    run_options: RunOptions = NO_OPTIONS,
    state: Path | None = None,
) -> Comparison:
    """Make one plan of a plan file again and say what differs. Blocks; sends nothing.

    Raises UsageError where the recipe is not there, EarlyStop where its images cannot be looked at for
    now, and what `load` and `plan` raise.
    """
    request = planned.request
    path = find_recipe(request.path, Path(file.file))
    if path is None:
        raise UsageError(
            f"{file.file}: the recipe {request.path} was not found from the current folder; use the "
            "plan in the project that it was made in"
        )
    recipe = load(path, registry, request.overrides, request.backend)
    state_dir = locate(path, state, os.environ)
    every = None
    if request.picks_sha256:
        every = plan(recipe, registry, Selection(request.only), operator, state_dir, run_options)
    selection = planned_selection(planned, file.file, every)
    made = plan(recipe, registry, selection, operator, state_dir, run_options)
    check_complete(made)
    if run_options.price is None:
        run_options = replace(run_options, price=price_given(planned, recipe))
    options = with_recipe_limits(run_options, recipe)
    with open_state_reader(state_dir) as seen:
        found = status_of(made, seen, open_view(recipe, operator))
        cost = estimate_cost(made, found, options, seen, operator)
        now = recipe_plan(made, found, cost, request)
        excused = {key[:SHORT] for key in seen.ledger.unknown_of_plan(file.sha256)}
    return Comparison(made, planned, now, drift(planned, now, excused))


def _templates(recipe: Recipe, registry: Registry) -> list[tuple[int, str | None]]:
    """The index of every sink that takes names, and its `name`."""
    sinks = enumerate(recipe.sinks)
    named = ((n, spec) for n, spec in sinks if registry.sink(spec.type).takes_names)
    return [(n, spec.options.get("name")) for n, spec in named]


def check_places(
    plans: Sequence[tuple[Plan, StateDir]], registry: Registry, operator: OperatorPolicy = CAREFUL
) -> None:
    """Refuse to write what another sink writes: of these recipes, or of one that ran before with the same
    state. Blocks; reads only. Raises InvalidRecipe, and what opening the sinks raises."""

    def sinks(recipe: Recipe) -> Sequence[SinkTarget]:
        return open_targets(recipe, registry, operator)

    def other(file: Path, like: Recipe) -> OtherRecipe:
        found = load(file, registry, (), like.backend.name if like.written_sinks else "")
        return OtherRecipe(found, sinks(found))

    every = [PlannedSinks(plan, sinks(plan.recipe)) for plan, _ in plans]
    check_together(every)
    for one, (_, state_dir) in zip(every, plans, strict=True):
        with open_reader(state_dir.ledger) as reader:
            check_delivered(one, every, reader, other)


def plan_status(
    plan: Plan, state_dir: StateDir | None = None, operator: OperatorPolicy = CAREFUL
) -> PlanStatus:
    """How the plan stands against the ledger, and against the shared store that `operator` names.
    Blocks; creates nothing."""
    state_dir = state_dir or locate(plan.recipe.path, None, os.environ)
    return status_of(plan, state_dir, open_view(plan.recipe, operator))


def plan_at(
    tree: Path,
    request: PlannedRequest,
    selection: Selection,
    registry: Registry,
    operator: OperatorPolicy,
    state_dir: StateDir,
) -> RecipePlan | None:
    """The plan of a recipe in another tree of files (`relightflow.store.git_tree`), with nothing bought;
    None: it is not there. Blocks. Raises what `load` and `plan` raise."""
    path = tree / request.path
    if not path.is_file():
        return None
    found = load(path, registry, request.overrides, request.backend)
    fetches = any(registry.source(source.type).fetches for source in found.sources)
    made = plan(
        found, registry, selection, operator, state_dir if fetches else StateDir(tree / NAME)
    )
    jobs = made.jobs_count
    status = PlanStatus(jobs, 0, jobs, 0, 0, 0, made.price, 0)
    return recipe_plan(made, status, CostEstimate(jobs, made.price), request)


def disclosures(plan: Plan, registry: Registry) -> tuple[str, ...]:
    """What becomes of the input images outside this machine if the plan is run, a sentence for each way
    in which they get there; none where the backend says nothing."""
    ways: dict[str, int] = {}
    counts = plan.jobs_of or (plan.jobs_count,)
    for spec, jobs in zip(plan.recipe.backends, counts, strict=True):
        tell = registry.backend(spec.type).discloses
        told = (
            Counter(tell(spec.options, image.delivery) for image in plan.images)
            if tell and jobs
            else {}
        )
        ways |= {way: max(count, ways.get(way, 0)) for way, count in told.items()}
    return tuple(f"{n:,} {'image is' if n == 1 else 'images are'} {way}" for way, n in ways.items())


def keep(
    path: Path,
    registry: Registry,
    state_dir: StateDir,
    overrides: Sequence[str] = (),
    files: Sequence[str] = (),
    undo: bool = False,
) -> Keeping:
    """Accept edited files of a recipe as they are; see `maintenance.keep`. Blocks."""
    recipe = load(path, registry, overrides)
    operator = OperatorPolicy(offline=True)
    cache = state_dir.cache if state_dir.cache.is_dir() else None
    records = [registry.backend(spec.type) for spec in recipe.backends]
    with open_sources(recipe, registry, operator, cache) as sources:
        whole = build(recipe, sources.scan())
        inputs = InputMetadata(sources.read, {r.name for r in records if r.srgb})
        targets = open_targets(recipe, registry, operator)
        return keep_files(whole, targets, state_dir, inputs, files, undo)


def bought_elsewhere(
    plan: Plan, registry: Registry, operator: OperatorPolicy, state: StateDir | StateReader
) -> str:
    """Why a run would refuse to buy what another state has bought; empty where nothing says so. Blocks;
    looks at sinks on this machine only."""
    try:
        targets = open_targets(plan.recipe, registry, operator)
    except (RelightflowError, InvalidRecipe):
        return ""  # the run says what is wrong with them
    local = [target for target in targets if "://" not in target.sink.location]
    with open_state_reader(state) as seen:
        found = elsewhere.bought_elsewhere(plan, seen.ledger, local, seen.state_dir)
    return found.message(plan) if found else ""


def estimate_cost(
    plan: Plan,
    plan_status: PlanStatus,
    run_options: RunOptions,
    state: StateDir | StateReader,
    operator: OperatorPolicy = CAREFUL,
) -> CostEstimate:
    """What a run would buy now, and what its limits have left, after what other machines spent through the
    shared store that `operator` names. Blocks; reads only."""
    recipe = plan.recipe
    with open_state_reader(state) as seen:
        run_options = with_shares(plan, run_options, seen)
        left = budgets_now(recipe, run_options, seen, open_view(recipe, operator))
        found = estimate(plan, plan_status, run_options, left)
        return replace(found, time=run_time(recipe, found, seen))


def output_actions(
    plan: Plan, registry: Registry, operator: OperatorPolicy, state_dir: StateDir
) -> Iterator[PlannedOutput]:
    """What a run would do about every output, and why. Blocks; reads only. Raises what opening the
    sinks raises."""
    targets = open_targets(plan.recipe, registry, operator)
    return actions_of(plan, state_dir, targets, open_view(plan.recipe, operator))


def cost(recipe: Recipe, state: StateReader, operator: OperatorPolicy = CAREFUL) -> Micros:
    """What a recipe has cost altogether in a state and through the shared store, or may have. Blocks;
    reads only."""
    options = RunOptions(limits=(SpendLimit(0, ""),))
    found = budgets_now(recipe, options, state, open_view(recipe, operator))[0]
    return found.committed(found.accounts_of_all[0])


async def run(
    plan: Plan,
    registry: Registry | None = None,
    state_dir: StateDir | None = None,
    run_options: RunOptions = NO_OPTIONS,
    operator: OperatorPolicy = CAREFUL,
    callbacks: RunCallbacks = SILENT,
) -> Summary:
    """Make what is missing, deliver it, say what it came to. Handles SIGINT and SIGTERM.

    Raises EarlyStop (another run holds the lock; images cannot be looked at for now), StorageError, AccountError, UsageError; a job's
    failure is part of the summary.
    """
    run_options = with_recipe_limits(run_options, plan.recipe)
    check_complete(plan)
    _check_limits(plan, run_options)
    registry = registry or load_plugins()
    state_dir = state_dir or locate(plan.recipe.path, None, os.environ)
    if plan.recipe.rehearsed and operator.store:
        callbacks.on_notice("a rehearsal neither uses nor fills the shared store")
        operator = replace(operator, store="")
    await asyncio.to_thread(check_places, [(plan, state_dir)], registry, operator)
    async with open_session(plan, registry, state_dir, run_options, operator, callbacks) as session:
        await session.begin()
        made = session.engine.run(plan, not run_options.collect_only, run_options.wait)
        async with aclosing(deliver(made, session.delivery)) as outcomes:
            async for outcome in outcomes:
                session.record(outcome)
        await session.settle_retries()
        await asyncio.to_thread(finalize, session.final_pass)
        summary = await session.end()
        await asyncio.to_thread(write_summary, session.folder.path, json.summary(summary))
        return summary


def _check_limits(plan: Plan, run_options: RunOptions) -> None:
    """Nothing is bought without a limit. Raises UsageError."""
    if not run_options.limits and not run_options.collect_only and not plan.recipe.free:
        paid = next(s for s in plan.recipe.backends if not s.free)
        raise UsageError(
            f"'{paid.name}' costs money and no cap or budget was given, so nothing was sent. Set the "
            "most that it may cost: --max-cost, limits.max_cost, or RunOptions(limits=…)"
        )
