"""How a plan stands against the ledger; reads only."""

from __future__ import annotations

import time
from collections import Counter
from statistics import median

from relightflow.errors import StorageError
from relightflow.ledger.checks import RECOVER
from relightflow.ledger.reader import Reader, open_reader
from relightflow.model.cost_estimate import CostEstimate
from relightflow.model.plan import Plan
from relightflow.model.plan_file import RecipePlan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.run_options import RunOptions
from relightflow.model.time_estimate import CallTime, TimeEstimate, longest, time_estimate
from relightflow.plan.difference import PlanDifference, difference, jobs_added
from relightflow.plan.job_set import JobSet
from relightflow.plan.price import price
from relightflow.plugins.records import OperatorPolicy
from relightflow.run.actions import Action, Item, item_chunks
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.spend import identity, open_budgets, priced_models
from relightflow.run.restoring import StateReader, open_state_reader
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
        _check_present(state_dir, reader)


def _check_present(state_dir: StateDir, reader: Reader) -> None:
    if reader.empty and next(blobs.index(state_dir.blobs), None) is not None:
        raise StorageError(
            f"the ledger {state_dir.ledger} is missing or empty, but the blob store contains "
            "results; "
            f"nothing was sent. {RECOVER}"
        )


def plan_status(
    plan: Plan,
    state: StateDir | StateReader,
    view: StoreView = NO_STORE,
    wanted: JobSet | None = None,
) -> PlanStatus:
    """Count what a run would do. Blocks; creates nothing. Raises what `check_ledger_present` raises,
    and StorageError where the place of the shared store is none.

    `view`: of the shared store. `wanted`: count only these jobs; None: all of the plan.
    """
    counts: Counter[Action | Elsewhere] = Counter()
    new: Counter[tuple[str, str]] = Counter()
    held: list[Item] = []
    free = plan.recipe.free_models
    with open_state_reader(state) as seen:
        _check_present(seen.state_dir, seen.ledger)
        if seen.ledger.empty and view is NO_STORE:
            new = _jobs_by_model(plan, wanted)
            counts[Action.MAKE] = new.total()
        else:
            for chunk in item_chunks(plan, seen.ledger, seen.state_dir.blobs):
                kept = [item for item in chunk if wanted is None or item.output.job in wanted]
                held += [item for item in kept if item.action is Action.HOLD_UNKNOWN]
                make = [item.output.job for item in kept if item.action is Action.MAKE]
                paid = [job for job in make if (job.backend, job.model) not in free]
                there = view.ask(paid, seen.ledger)
                counts.update(item.action for item in kept if item.output.job.key not in there)
                counts.update(there.values())
                new.update((job.backend, job.model) for job in make if job.key not in there)
    states = [item.job_state for item in held if item.job_state]
    new_of = tuple(new[spec.pair] for spec in plan.recipe.backends)
    return PlanStatus(
        jobs=plan.jobs_count if wanted is None else len(wanted),
        done=counts[Action.REUSE],
        new=counts[Action.MAKE],
        collect=counts[Action.COLLECT] + counts[Action.MEND] + counts[Elsewhere.IN_FLIGHT],
        unknown=counts[Action.HOLD_UNKNOWN],
        held_failed=counts[Action.HOLD_FAILED] + counts[Elsewhere.FAILED],
        price=price(plan.recipe, new_of),
        restoration=seen.restoration,
        unknown_price=sum(state.price for state in states),
        undecided=tuple(state.undecided for state in states),
        unknown_jobs=tuple(item.output.job.id for item in held),
        new_of=new_of if plan.recipe.more_backends else (),
        shared=counts[Elsewhere.FINISHED],
        store_fault=view.fault,
    )


def _jobs_by_model(plan: Plan, wanted: JobSet | None) -> Counter[tuple[str, str]]:
    """All jobs of the plan, or those wanted."""
    specs = plan.recipe.backends
    if wanted is not None:
        return Counter({spec.pair: wanted.count(*spec.pair) for spec in specs})
    counts = plan.jobs_of or (plan.jobs_count,)
    return Counter({spec.pair: n for spec, n in zip(specs, counts, strict=True)})


def open_view(recipe: Recipe, operator: OperatorPolicy) -> StoreView:
    """The operator's shared store, where the recipe costs money and the network may be asked. Raises
    UsageError for a URL that is none."""
    free = recipe.rehearsed or recipe.free
    if not operator.store or operator.offline or free:
        return NO_STORE
    return StoreView(open_shared(operator.store))


def budgets_now(
    recipe: Recipe, run_options: RunOptions, state: StateReader, view: StoreView = NO_STORE
) -> tuple[Budget, ...]:
    """What counts against each limit by now: a budget for each of the recipe's backends, over the same
    accounts. Blocks; reads only. Raises StorageError."""
    models = priced_models(recipe, run_options)
    return open_budgets(
        state.ledger, identity(recipe), run_options.limits, models, time.time(),
        view.spending(state.ledger),
    )  # fmt: skip


def compare_plans(
    plan: Plan,
    now: RecipePlan,
    before: RecipePlan | None,
    state: StateDir | StateReader,
    operator: OperatorPolicy,
    note: str = "",
) -> PlanDifference:
    """What `now`, which is `plan`, adds to `before` and takes away, and its price. Blocks; reads only.

    `before`: None: there is nothing to compare with, and `note` says why if something is wrong.
    """
    added = jobs_added(now, before)
    status = plan_status(plan, state, open_view(plan.recipe, operator), added)
    return difference(now, before, status, note)


def run_time(recipe: Recipe, found: CostEstimate, state: StateReader) -> TimeEstimate | None:
    """How long a run takes that was `found` to make so many calls; its backends work side by side."""
    each = [one.calls for one in found.backends] or [found.calls]
    times = [
        time_estimate(calls, recipe.limits_of(spec), _call_time(spec, state))
        for spec, calls in zip(recipe.backends, each, strict=True)
    ]
    return longest(times)


def _call_time(backend: BackendSpec, state: StateReader) -> CallTime | None:
    """The median of the last calls, else what the model's author says."""
    taken = state.ledger.call_seconds(backend.type, backend.model.name)
    if len(taken) >= _ENOUGH_CALLS:
        return CallTime(median(taken), len(taken))
    typical = backend.model.typical_seconds
    return None if typical is None else CallTime(typical)
