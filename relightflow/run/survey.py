"""How a plan stands against the ledger; reads only."""

from __future__ import annotations

from collections import Counter

from relightflow.ledger.reader import reading
from relightflow.model.plan import Plan
from relightflow.model.survey import Survey
from relightflow.run.walk import Todo, survey_chunks
from relightflow.store.home import Home


def survey(plan: Plan, home: Home) -> Survey:
    """Count what a run would do. Blocks; creates nothing."""
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
