"""What was and may have been paid for by other machines that use the shared store, as the limits see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from relightflow.ledger.reader import Reader
from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.money import Micros
from relightflow.model.spending import Charge, Kind
from relightflow.store.costs import StoreCharge


@dataclass(frozen=True, slots=True)
class StoreSpending:
    """As of the moment at which the store was asked."""

    windows: tuple[Charge, ...] = ()
    """Against allowances over a time: every call that this ledger does not know; the oldest first."""
    caps: tuple[Charge, ...] = ()
    """Against caps of a recipe: the same without results that this ledger has adopted, and so counts."""
    claimed: Mapping[str, tuple[int, Micros]] = field(default_factory=dict)
    """Job key → the number (below 0) and the price of a call that may be under way."""


NO_SPENDING = StoreSpending()
"""Of a state without a shared store."""


def store_spending(
    costs: Iterable[StoreCharge], claims: Iterable[JobClaim], reader: Reader
) -> StoreSpending:
    """`reader`: of this machine's ledger, whose own calls are left out."""
    known = reader.attempt_names()
    adopted = reader.adopted_jobs()
    found: dict[str, tuple[str, Charge]] = {}
    for cost in costs:
        if cost.attempt not in known and cost.attempt not in found:
            number = -1 - len(found)
            found[cost.attempt] = (cost.key, _spent(number, cost))
    claimed: dict[str, tuple[int, Micros]] = {}
    for claim in claims:
        name = claim.attempt or claim.key
        if name in known or name in found:
            continue
        number = -1 - len(found)
        found[name] = (claim.key, _open(number, claim))
        if claim.state is not State.FAILED:
            claimed[claim.key] = (number, claim.price)
    in_order = sorted(found.values(), key=lambda pair: pair[1].at)
    return StoreSpending(
        tuple(charge for _, charge in in_order),
        tuple(charge for key, charge in in_order if key not in adopted),
        claimed,
    )


def _spent(number: int, cost: StoreCharge) -> Charge:
    at = float(cost.at)
    return Charge(number, cost.recipe, "", "", at, Kind.SPENT, cost.least, cost.cost, cost.least)


def _open(number: int, claim: JobClaim) -> Charge:
    kind = Kind.SPENT if claim.state is State.FAILED else Kind.IN_FLIGHT
    return Charge(number, claim.recipe, "", "", claim.at, kind, claim.price, claim.cost, None)
