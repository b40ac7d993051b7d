"""How a plan stands against the ledger; reads only."""

from __future__ import annotations

from collections import Counter

from relightflow.errors import StorageError
from relightflow.ledger.reader import reading
from relightflow.model.plan import Plan
from relightflow.model.survey import Survey
from relightflow.run.walk import Todo, survey_chunks
from relightflow.store import blobs
from relightflow.store.home import Home


def check_whole(home: Home) -> None:
    """Raises StorageError where there is no ledger, or one that nothing was ever written to, beside
    results: what was paid for would be counted as new."""
    with reading(home.ledger) as reader:
        lost = reader.empty
    if lost and next(blobs.index(home.blobs), None) is not None:
        raise StorageError(
            f"the ledger {home.ledger} is missing or empty, but the blob store holds results; "
            "nothing was sent. Put back a copy of it, or move it away and run 'relightflow rebuild', "
            "which makes a new one from the blob store without buying anything"
        )


def survey(plan: Plan, home: Home) -> Survey:
    """Count what a run would do. Blocks; creates nothing. Raises what `check_whole` raises."""
    check_whole(home)
    with reading(home.ledger) as reader:
        if reader.empty:
            counts = Counter({Todo.MAKE: plan.jobs_count})
            unknown_price = 0
        else:
            counts = Counter()
            unknown_price = 0
            for chunk in survey_chunks(plan, reader, home.blobs):
                counts.update(item.todo for item in chunk)
                unknown_price += sum(
                    item.standing.price
                    for item in chunk
                    if item.todo is Todo.HOLD_UNKNOWN and item.standing
                )
    price = plan.recipe.backend.model.price
    return Survey(
        jobs=plan.jobs_count,
        done=counts[Todo.REUSE],
        new=counts[Todo.MAKE],
        collect=counts[Todo.COLLECT] + counts[Todo.MEND],
        unknown=counts[Todo.HOLD_UNKNOWN],
        held_failed=counts[Todo.HOLD_FAILED],
        price=price and price.times(counts[Todo.MAKE]),
        unknown_price=unknown_price,
    )
