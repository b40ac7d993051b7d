"""How a plan stands against the ledger; reads only."""

from __future__ import annotations

import time
from collections import Counter
from statistics import median

from relightflow.errors import StorageError
from relightflow.ledger.checks import RECOVER
from relightflow.ledger.reader import open_reader
from relightflow.model.catalog import Price
from relightflow.model.plan import Plan
from relightflow.model.plan_file import RecipePlan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.run_options import RunOptions
from relightflow.model.time_estimate import CallTime
from relightflow.plan.difference import PlanDifference, difference, jobs_added
from relightflow.plan.job_set import JobSet
from relightflow.plugins.records import OperatorPolicy
from relightflow.run.actions import Action, Item, item_chunks
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.spend import identity, open_budget
from relightflow.run.restoring import open_state_reader
from relightflow.run.shared.foresee import Elsewhere, StoreView
from relightflow.store import blobs
from relightflow.store.shared import open_shared
from relightflow.store.state_dir import StateDir

NO_STORE = StoreView(None)


_ENOUGH_CALLS = 5
"""From so many calls on, their median is believed more than the model's author."""


def check_ledger_present(state_dir: StateDir) -> None:
    """Raises StorageError where there is no ledger, or one that nothing was ever written to, beside
    results: what was paid for would be counted as new."""
    with open_reader(state_dir.ledger) as reader:
        lost = reader.empty
    if lost and next(blobs.index(state_dir.blobs), None) is not None:
        raise StorageError(
            f"the ledger {state_dir.ledger} is missing or empty, but the blob store contains "
            "results; "
            f"nothing was sent. {RECOVER}"
        )


def plan_status(
    plan: Plan, state_dir: StateDir, view: StoreView = NO_STORE, wanted: JobSet | None = None
) -> PlanStatus:
    """Count what a run would do. Blocks; creates nothing. Raises what `check_ledger_present` raises,
    and StorageError where the place of the shared store is none.

    `view`: of the shared store. `wanted`: count only these jobs; None: all of the plan.
    """
    check_ledger_present(state_dir)
    counts: Counter[Action | Elsewhere] = Counter()
    held: list[Item] = []
    with open_state_reader(state_dir) as seen:
        if seen.ledger.empty and view is NO_STORE:
            counts[Action.MAKE] = plan.jobs_count if wanted is None else len(wanted)
        else:
            for chunk in item_chunks(plan, seen.ledger, state_dir.blobs):
                kept = [item for item in chunk if wanted is None or item.output.job in wanted]
                held += [item for item in kept if item.action is Action.HOLD_UNKNOWN]
                make = [item.output.job for item in kept if item.action is Action.MAKE]
                there = view.ask(make, seen.ledger)
                counts.update(item.action for item in kept if item.output.job.key not in there)
                counts.update(there.values())
    states = [item.job_state for item in held if item.job_state]
    price = plan.recipe.backend.model.price
    return PlanStatus(
        jobs=plan.jobs_count if wanted is None else len(wanted),
        done=counts[Action.REUSE],
        new=counts[Action.MAKE],
        collect=counts[Action.COLLECT] + counts[Action.MEND] + counts[Elsewhere.IN_FLIGHT],
        unknown=counts[Action.HOLD_UNKNOWN],
        held_failed=counts[Action.HOLD_FAILED] + counts[Elsewhere.FAILED],
        price=price and price.times(counts[Action.MAKE]),
        restoration=seen.restoration,
        unknown_price=sum(state.price for state in states),
        undecided=tuple(state.undecided for state in states),
        unknown_jobs=tuple(item.output.job.id for item in held),
        shared=counts[Elsewhere.FINISHED],
        store_fault=view.fault,
    )


def open_view(recipe: Recipe, operator: OperatorPolicy) -> StoreView:
    """The operator's shared store, where the recipe costs money and the network may be asked. Raises
    UsageError for a URL that is none."""
    price = recipe.backend.model.price
    free = recipe.rehearsed or (price is not None and price.free)
    if not operator.store or operator.offline or free:
        return NO_STORE
    return StoreView(open_shared(operator.store))


def budget_now(
    recipe: Recipe, run_options: RunOptions, state_dir: StateDir, view: StoreView = NO_STORE
) -> Budget:
    """What counts against each limit by now. Blocks; reads only. Raises StorageError."""
    model = recipe.backend.model
    price = model.price or Price(run_options.price or 0, run_options.price or 0)
    with open_state_reader(state_dir) as seen:
        return open_budget(
            seen.ledger, identity(recipe), run_options.limits,
            (recipe.backend.type, model.name, price), time.time(), bool(model.by_size),
            view.spending(seen.ledger),
        )  # fmt: skip


def compare_plans(
    plan: Plan,
    now: RecipePlan,
    before: RecipePlan | None,
    state_dir: StateDir,
    operator: OperatorPolicy,
    note: str = "",
) -> PlanDifference:
    """What `now`, which is `plan`, adds to `before` and takes away, and its price. Blocks; reads only.

    `before`: None: there is nothing to compare with, and `note` says why if something is wrong.
    """
    added = jobs_added(now, before)
    status = plan_status(plan, state_dir, open_view(plan.recipe, operator), added)
    return difference(now, before, status, note)


def call_time(backend: BackendSpec, state_dir: StateDir) -> CallTime | None:
    """The median of the last calls, else what the model's author says."""
    with open_state_reader(state_dir) as seen:
        taken = seen.ledger.call_seconds(backend.type, backend.model.name)
    if len(taken) >= _ENOUGH_CALLS:
        return CallTime(median(taken), len(taken))
    typical = backend.model.typical_seconds
    return None if typical is None else CallTime(typical)
