"""How a plan stands against the ledger; reads only."""

from __future__ import annotations

from collections import Counter

from relightflow.errors import StorageError
from relightflow.ledger.checks import RECOVER
from relightflow.ledger.reader import open_reader
from relightflow.model.plan import Plan
from relightflow.model.plan_status import PlanStatus
from relightflow.run.actions import Action, Item, item_chunks
from relightflow.run.restoring import open_state_reader
from relightflow.store import blobs
from relightflow.store.state_dir import StateDir


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


def plan_status(plan: Plan, state_dir: StateDir) -> PlanStatus:
    """Count what a run would do. Blocks; creates nothing. Raises what `check_whole` raises."""
    check_ledger_present(state_dir)
    with open_state_reader(state_dir) as seen:
        reader = seen.ledger
        if reader.empty:
            counts = Counter({Action.MAKE: plan.jobs_count})
            held: list[Item] = []
        else:
            counts, held = Counter(), []
            for chunk in item_chunks(plan, reader, state_dir.blobs):
                counts.update(item.action for item in chunk)
                held += [item for item in chunk if item.action is Action.HOLD_UNKNOWN]
    states = [item.job_state for item in held if item.job_state]
    price = plan.recipe.backend.model.price
    return PlanStatus(
        jobs=plan.jobs_count,
        done=counts[Action.REUSE],
        new=counts[Action.MAKE],
        collect=counts[Action.COLLECT] + counts[Action.MEND],
        unknown=counts[Action.HOLD_UNKNOWN],
        held_failed=counts[Action.HOLD_FAILED],
        price=price and price.times(counts[Action.MAKE]),
        restoration=seen.restoration,
        unknown_price=sum(state.price for state in states),
        undecided=tuple(state.undecided for state in states),
        unknown_jobs=tuple(item.output.job.id for item in held),
    )
