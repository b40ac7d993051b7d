"""Opens the operator's shared store for a run, says what it promises, and closes it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import open_reader
from relightflow.model.catalog import Model
from relightflow.model.run_options import RunOptions
from relightflow.objects.faults import ObjectFault
from relightflow.plugins.records import OperatorPolicy
from relightflow.run.context import RunContext
from relightflow.run.shared.claims import MACHINE, JobClaims, stop_buying
from relightflow.run.shared.client import SharedStoreClient
from relightflow.run.shared.costs import NO_SPENDING, StoreSpending, store_spending
from relightflow.run.shared.reservation import RunReservation
from relightflow.run.shutdown import Shutdown
from relightflow.store.shared import open_shared

_LEAST_PATIENCE = 20.0
_TYPICAL_CALLS = 3.0
"""A claim is left to its owner for so many times what a call of the model takes, and for 20 s at least."""
_USUAL_SECONDS = 20.0
"""Of a call whose model does not say."""


@dataclass(frozen=True, slots=True)
class OpenStore:
    client: SharedStoreClient
    ledger: Ledger
    shutdown: Shutdown
    """Of the whole run."""
    spending: StoreSpending
    """Of other machines, as the run begins."""
    reservation: RunReservation | None
    """None: nothing is reserved in the store."""

    def of(self, context: RunContext, model: Model) -> StoreOfModel | None:
        """For the jobs of one model; None: they are free, and made again sooner than they are fetched."""
        if context.free:
            return None
        least = model.price.low if model.price else context.price
        claims = JobClaims(
            context, self.client, self.ledger, self.shutdown, least, self.reservation
        )
        return StoreOfModel(self.client, claims, _patience(model))


@dataclass(frozen=True, slots=True)
class StoreOfModel:
    client: SharedStoreClient
    claims: JobClaims
    patience: float
    """Seconds for which another machine's claim is left to it."""

    @property
    def buying(self) -> JobClaims | None:
        """None: the store is only read, so nothing is claimed there."""
        return self.claims if self.client.write else None


@asynccontextmanager
async def open_store(
    contexts: Sequence[RunContext],
    models: Sequence[Model],
    operator: OperatorPolicy,
    ledger: Ledger,
    shutdown: Shutdown,
    notice: Callable[[str], None],
    run_options: RunOptions,
) -> AsyncIterator[OpenStore | None]:
    """None: there is no shared store, or nothing of the run has a price. `contexts`: of its
    backends, whose models are `models`.

    Raises UsageError for a URL that is none, StorageError where there is no store.
    """
    paid = [context for context in contexts if not context.free]
    store = open_shared(operator.store) if paid else None
    if store is None:
        yield None
        return
    client = SharedStoreClient(store, operator.store_writes, notice)
    spending, reservation = NO_SPENDING, None
    try:
        try:
            await _say_what_it_promises(client, notice)
            if run_options.limits and not run_options.collect_only:
                patience = max(map(_patience, models))
                spending, reservation = await _money(paid[0], client, ledger, patience)
        except ObjectFault as fault:
            stop_buying(shutdown, fault)  # what is accepted is collected all the same
        yield OpenStore(client, ledger, shutdown, spending, reservation)
    finally:
        if reservation:
            await reservation.close(shutdown.draining)
        await client.close(shutdown.draining)


def _patience(model: Model) -> float:
    """Seconds for which another machine's claim of a job of the model is left to it."""
    return max(_LEAST_PATIENCE, _TYPICAL_CALLS * (model.typical_seconds or _USUAL_SECONDS))


async def _money(
    context: RunContext, client: SharedStoreClient, ledger: Ledger, patience: float
) -> tuple[StoreSpending, RunReservation | None]:
    """What other machines spend, and how this run reserves; None: it cannot. Raises ObjectFault, StorageError."""
    records = await client.spending()
    reservation = None
    if client.write and client.atomic:
        reservation = RunReservation(context, client, MACHINE, records.reserved, patience)
        with open_reader(ledger.path) as reader:
            left = [one for one in records.reserved.open if reader.recipe_of_run(one.run)]
        for one in left:  # of runs of this state that were killed: its lock says that they are over
            await reservation.end(one)
        if left:
            records = await client.spending()
            reservation.state = records.reserved
    with open_reader(ledger.path) as reader:
        return store_spending(records, reader), reservation


async def _say_what_it_promises(client: SharedStoreClient, notice: Callable[[str], None]) -> None:
    """Before anything is bought."""
    found = await client.check()
    if not client.write:
        notice(
            f"--store-mode r: jobs are not claimed in the shared store {client.store}, so two machines that "
            "run at once may both buy a job, and together pass a cap or a budget. Let one run at a time, or "
            "use --store-mode rw"
        )
    elif not found.atomic:
        notice(
            f"the shared store {client.store} let both writers create one object in {found.doubles:,} of "
            f"{found.pairs:,} races, so a claim does not hold there: two machines that run at once may both "
            "buy a job, and together pass a cap or a budget. Let one run at a time, or give each a part of "
            "its own with --shard"
        )
