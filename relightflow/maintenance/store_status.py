"""What a shared store promises and holds, and which machine spent, claims and reserves what. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from relightflow.model.attempt import State
from relightflow.model.money import Micros
from relightflow.model.store_status import RunShare, StoreStatus
from relightflow.store.costs import machine_name
from relightflow.store.shared import SharedStore, StoreRecords


def store_status(store: SharedStore) -> StoreStatus:
    """Blocks; raises ObjectFault, StorageError where there is no store. A request for a thousand objects."""
    marker = store.check()
    results = sum(1 for _ in store.results())
    runs = tuple(runs_in(store.spending()))
    return StoreStatus(
        str(store), marker.id, marker.atomic, marker.pairs, marker.doubles, results, runs
    )


def runs_in(records: StoreRecords) -> Iterator[RunShare]:
    """What the records say of each run, the one that was active last first."""
    found: dict[tuple[str, str, str], RunShare] = {}
    under: dict[str, Micros] = {}

    def share(machine: str, run: str, recipe: str) -> tuple[tuple[str, str, str], RunShare]:
        name = (machine_name(machine), run, recipe)
        return name, found.get(name, RunShare(*name))

    costs = {cost.attempt: cost for cost in records.costs}  # each call once
    for cost in costs.values():
        name, one = share(cost.machine, cost.run, cost.recipe)
        last = max(one.last, float(cost.at))
        found[name] = replace(one, calls=one.calls + 1, paid=one.paid + cost.cost, last=last)
        under[cost.reservation] = under.get(cost.reservation, 0) + cost.counted
    for claim in records.claims:
        if claim.attempt in costs or claim.state is State.FAILED:
            continue
        name, one = share(claim.machine, claim.run, claim.recipe)
        last = max(one.last, claim.at)
        found[name] = replace(
            one, claims=one.claims + 1, claimed=one.claimed + claim.price, last=last
        )
        under[claim.reservation] = under.get(claim.reservation, 0) + claim.price
    for reservation in records.reserved.open:
        name, one = share(reservation.machine, reservation.run, reservation.recipe)
        more = max(0, reservation.amount - under.get(reservation.id, 0))
        last = max(one.last, reservation.at)
        found[name] = replace(one, reserved=one.reserved + more, last=last)
    yield from sorted(found.values(), key=lambda one: (-one.last, one.machine, one.run))
