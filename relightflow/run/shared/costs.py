"""What was and may have been paid for by other machines that use the shared store, as the limits see it.

What is reserved there counts as it is, and the calls that were made under it are not counted again. What
no open reservation covers is counted call by call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from relightflow.ledger.reader import Reader
from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.money import Micros
from relightflow.model.reservation import Reserved
from relightflow.model.spending import Charge, Kind
from relightflow.store.costs import StoreCharge
from relightflow.store.shared import StoreRecords


@dataclass(frozen=True, slots=True)
class StoreSpending:
    """As of the moment at which the store was asked."""

    windows: tuple[Charge, ...] = ()
    """Against allowances over a time: every call that this ledger does not know; the oldest first."""
    caps: tuple[Charge, ...] = ()
    """Against caps of a recipe: the same without results that this ledger has adopted, and so counts."""
    claimed: Mapping[str, tuple[int, Micros]] = field(default_factory=dict)
    """Job key → the number (below 0) and the price of a call that may be under way."""
    reserved: Reserved = field(default_factory=Reserved)
    """Of other machines."""
    known: tuple[tuple[str, str, Micros, Micros], ...] = ()
    """Of the calls under `reserved` that this ledger counts too: recipe and model, and what they count at
    against allowances and against caps."""
    models: Mapping[int, str] = field(default_factory=dict)
    """Number of a call (below 0) → its model (`model_id`), where it is known."""

    def caps_of(self, model: str) -> tuple[Charge, ...]:
        """Those of `caps` that may be for a model (`model_id`)."""
        return tuple(one for one in self.caps if self.models.get(one.attempt, model) == model)

    def reserved_for(self, names: frozenset[str] | None, model: str = "") -> Micros:
        """What other machines have reserved for the recipes `names` (None: for all), and a model (empty: all)."""
        total = sum(one.part(model) for one in self.reserved.open if counts_for(one.recipe, names))
        return max(0, total - self.counted_here(names, model))

    def counted_here(self, names: frozenset[str] | None, model: str = "") -> Micros:
        """What of that this ledger counts too, against an allowance (`names` None) or a cap."""
        return sum(
            caps if names is not None else windows
            for recipe, told, windows, caps in self.known
            if counts_for(recipe, names) and (not model or told == model)
        )


NO_SPENDING = StoreSpending()
"""Of a state without a shared store."""


def counts_for(recipe: str, names: frozenset[str] | None) -> bool:
    """Whether a call for `recipe` counts against a limit on the recipes `names`; None: on all."""
    return names is None or not recipe or recipe in names


def _may_cost(claim: JobClaim) -> Micros:
    """The most that the call of a claim costs without stopping its run, beside others."""
    if claim.state is State.FAILED:
        return claim.price if claim.cost is None else max(claim.cost, claim.price)
    return claim.price * 3 // 2


def came_to(
    name: str, costs: Iterable[StoreCharge], claims: Iterable[JobClaim]
) -> tuple[Micros, Counter[str]]:
    """What the calls under the reservation `name` cost, or may cost, each once; and what of that was for each
    model that is known."""
    calls = {c.attempt: (c.model, _may_cost(c)) for c in claims if c.reservation == name}
    calls |= {c.attempt: (c.model, c.counted) for c in costs if c.reservation == name}
    parts: Counter[str] = Counter()
    for model, amount in calls.values():
        parts[model] += amount
    every = parts.total()
    del parts[""]
    return every, parts


def store_spending(records: StoreRecords, reader: Reader) -> StoreSpending:
    """`reader`: of this machine's ledger, whose own calls and runs are left out."""
    known, counted = reader.attempt_names(), reader.attempt_names(counted=True)
    adopted = reader.adopted_jobs()
    others = tuple(one for one in records.reserved.open if not reader.recipe_of_run(one.run))
    covered = {one.id for one in others}
    own: dict[str, tuple[str, str, Micros, Micros]] = {}
    models: dict[int, str] = {}
    found: dict[str, tuple[str, Charge]] = {}
    for cost in records.costs:
        if cost.reservation in covered:
            here = cost.counted if cost.attempt in counted else 0
            cap = cost.counted if cost.key in adopted else here
            own[cost.attempt] = (cost.recipe, cost.model, here, cap)
        elif cost.attempt not in counted and cost.attempt not in found:
            number = -1 - len(found)
            found[cost.attempt] = (cost.key, _spent(number, cost))
            models[number] = cost.model
    claimed: dict[str, tuple[int, Micros]] = {}
    for claim in records.claims:
        name = claim.attempt or claim.key
        if claim.reservation in covered or name in known or name in found:
            continue
        number = -1 - len(found)
        found[name] = (claim.key, _open(number, claim))
        models[number] = claim.model
        if claim.state is not State.FAILED:
            claimed[claim.key] = (number, claim.price)
    in_order = sorted(found.values(), key=lambda pair: pair[1].at)
    reserved = records.reserved
    return StoreSpending(
        tuple(charge for _, charge in in_order),
        tuple(charge for key, charge in in_order if key not in adopted),
        claimed,
        replace(reserved, open=others),
        tuple(own.values()),
        {number: model for number, model in models.items() if model},
    )


def _spent(number: int, cost: StoreCharge) -> Charge:
    at = float(cost.at)
    return Charge(number, cost.recipe, "", "", at, Kind.SPENT, cost.least, cost.cost, cost.least)


def _open(number: int, claim: JobClaim) -> Charge:
    kind = Kind.SPENT if claim.state is State.FAILED else Kind.IN_FLIGHT
    return Charge(number, claim.recipe, "", "", claim.at, kind, claim.price, claim.cost, None)
