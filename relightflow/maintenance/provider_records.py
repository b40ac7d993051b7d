"""The commands that ask the provider's records: `reconcile`, and `resolve --wait`.

Read-only at the provider and free of charge. What the records prove is written into the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random

from relightflow.errors import AccountError, EarlyStop, RefusedError, RelightflowError, UsageError
from relightflow.maintenance.reconcile import compare, recorded
from relightflow.maintenance.resolve import held_attempts
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.maintenance import Reconciliation, Resolution
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, HasHistory
from relightflow.plugins.records import BackendRecord, OperatorPolicy
from relightflow.run.clock import Clock, RealClock
from relightflow.run.jobs.doubts import DoubtSettler, DoubtsSettled, keep_asking
from relightflow.run.jobs.interrupted import settle_interrupted
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.patience import RecordsPatience
from relightflow.run.opening import OpenState, open_backend, open_state
from relightflow.store.state_dir import StateDir

NO_OPTIONS = FrozenMap()


async def reconcile(
    state_dir: StateDir,
    record: BackendRecord,
    operator: OperatorPolicy,
    since: float,
    until: float,
    notice: Callable[[str], None],
) -> Reconciliation:
    """Compare the ledger with the provider's bill from `since` to `until` (Unix seconds).

    Raises UsageError where the backend keeps no records, AccountError and RefusedError, EarlyStop
    where the records cannot be had now or a run holds the lock, StorageError.
    """
    with open_state(state_dir, f"relightflow reconcile, process {os.getpid()},") as state:
        async with open_backend(
            record, record.models[0], NO_OPTIONS, state, operator, notice
        ) as backend:
            settler = await _settler(state, record, backend, notice, RealClock())
            settled = await settler.settle()
            real = _with_history(await backend.get(), record.name)
            try:
                bill = await real.bill(since, until, settler.retry())
            except CallFailed as error:
                raise _unavailable(error.failure) from error
    attempts = recorded(state_dir, record.name, since, until)
    ours = [a for a in attempts if since <= a.created <= until and a.billed is Billed.YES]
    return Reconciliation(
        since=since,
        until=until,
        requests=sum(row.cost > 0 for row in bill),
        billed=sum(row.cost for row in bill),
        recorded=sum(a.price if a.cost is None else a.cost for a in ours),
        findings=tuple(compare(attempts, bill, since, until)),
        resolution=_resolution(state_dir, settled),
    )


async def give_patience(
    state_dir: StateDir,
    record: BackendRecord,
    operator: OperatorPolicy,
    notice: Callable[[str], None],
    clock: Clock | None = None,
) -> Resolution:
    """Ask the records until nothing is unknown that they will settle with time alone.

    Raises what `reconcile` raises.
    """
    clock = clock or RealClock()
    with open_state(state_dir, f"relightflow resolve, process {os.getpid()},") as state:
        async with open_backend(
            record, record.models[0], NO_OPTIONS, state, operator, notice
        ) as backend:
            settler = await _settler(state, record, backend, notice, clock)
            settled = await settler.settle()
            async for more in keep_asking(settler, settled, clock):
                settled = settled + more
    return _resolution(state_dir, settled)


async def _settler(
    state: OpenState,
    record: BackendRecord,
    backend: LazyBackend,
    notice: Callable[[str], None],
    clock: Clock,
) -> DoubtSettler:
    """Doubts alone; money is only counted, so the budget has no cap."""
    await settle_interrupted(state.ledger, state.state_dir.blobs, record.name)
    budget = Budget()
    rng = Random()  # noqa: S311  jitter guards nothing

    def patience() -> RecordsPatience:
        return RecordsPatience(clock, rng, notice)

    return DoubtSettler(backend, record.name, state.ledger, budget, patience, notice)


def _unavailable(failure: Failure) -> RelightflowError:
    """Why there is no bill to compare with, as what a person has to do about it."""
    kinds = {FailureKind.ACCOUNT: AccountError, FailureKind.REFUSED_SAFETY: RefusedError}
    words = f"{failure.message}. Nothing was compared; try again later"
    return kinds.get(failure.kind, EarlyStop)(words)


def _with_history(backend: Backend, name: str) -> HasHistory:
    if not isinstance(backend, HasHistory):
        raise UsageError(f"backend '{name}' has no records to compare with")
    return backend


def _resolution(state_dir: StateDir, settled: DoubtsSettled) -> Resolution:
    return Resolution(
        held_attempts(state_dir), adopted=settled.adopted, released=settled.absent + settled.failed
    )
