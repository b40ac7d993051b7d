"""Calls that were paid for and that no run of this recipe collects, since it does not name their backend (any more).

Providers forget results, so whoever changes the backend of a recipe hears of what still waits.
"""

from __future__ import annotations

from collections import Counter

from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import State
from relightflow.model.recipe import Recipe
from relightflow.store.state_dir import StateDir

_COLLECTABLE = (State.ACCEPTED, State.RESULT_KNOWN, State.PAID_UNFETCHED)


def uncollected(recipe: Recipe, state_dir: StateDir) -> str:
    """How many there are, and how to get them; empty: none. Blocks; reads only."""
    own = {spec.type for spec in recipe.backends}
    with open_reader(state_dir.ledger) as reader:
        found = Counter(
            attempt.backend
            for attempt in reader.open_attempts()
            if attempt.state in _COLLECTABLE and attempt.price and attempt.backend not in own
        )
    if not found:
        return ""
    calls = "1 call" if found.total() == 1 else f"{found.total():,} calls"
    names = ", ".join(f"'{name}'" for name in sorted(found))
    return (
        f"{calls} of {names} that may have been paid for wait to be collected, and this recipe does not name "
        "that backend, so this run leaves them. Providers forget results: 'relightflow pull' with a recipe that "
        "names it collects them"
    )
