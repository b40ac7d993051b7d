"""Calls that were paid for and that no run of this recipe collects, since it does not name their backend (any more).

Providers delete results after a while, so whoever changes the backend of a recipe hears of what still waits.
"""

from __future__ import annotations

from collections import Counter

from relightflow.ledger.reader import Reader
from relightflow.model.attempt import State
from relightflow.model.recipe import Recipe

_COLLECTABLE = (State.ACCEPTED, State.RESULT_KNOWN, State.PAID_UNFETCHED)


def uncollected(recipe: Recipe, reader: Reader) -> str:
    """How many there are, and how to get them; empty: none. Blocks. `reader`: of the ledger."""
    own = {spec.type for spec in recipe.backends}
    found = Counter(
        attempt.backend
        for attempt in reader.open_attempts()
        if attempt.state in _COLLECTABLE and attempt.price and attempt.backend not in own
    )
    if not found:
        return ""
    calls = "1 call" if found.total() == 1 else f"{found.total():,} calls"
    names = ", ".join(f"'{name}'" for name in sorted(found))
    backend = "that backend" if len(found) == 1 else "those backends"
    return (
        f"not collected by this run: {calls} of {names}, which may have been paid for, since this recipe does not "
        f"name {backend}. Providers delete results after a while: collect with 'relightflow pull' and a recipe "
        f"that names {backend}"
    )
