"""The commands that ask the provider's records: `reconcile`, `resolve --wait` and `--resubmit`.

Read-only at the provider and free of charge. What the records prove is written into the ledger.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

from relightflow.errors import AccountError, EarlyStop, RefusedError, RelightflowError, UsageError
from relightflow.maintenance.reconcile import compare, recorded
from relightflow.maintenance.resolve import held_attempts
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.maintenance import Reconciliation, Resolution
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import HasHistory
from relightflow.plugins.records import BackendRecord, OperatorPolicy
from relightflow.run.clock import Clock, RealClock
from relightflow.run.jobs.doubts import DoubtSettler, DoubtsSettled, keep_asking
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.patience import RecordsPatience
from relightflow.run.opening import OpenState, open_backend, open_state
from relightflow.run.restoring import open_state_reader
from relightflow.store.state_dir import StateDir

NO_OPTIONS = FrozenMap()


def named_backends(state_dir: StateDir, in_doubt: bool = False) -> tuple[str, ...]:
    """The backends that the ledger's paid calls were made with; `in_doubt`: of those calls that their
    records may settle. Reads only."""
    with open_state_reader(state_dir) as seen:
        return tuple(seen.ledger.paid_backends(in_doubt))


async def reconcile(
    state_dir: StateDir,
    records: Sequence[BackendRecord],
    operator: OperatorPolicy,
    since: float,
    until: float,
    notice: Callable[[str], None],
) -> Reconciliation:
    """Compare the ledger with the bills from `since` to `until` (Unix seconds), one backend after the
    other. Of several, one that keeps no records is left out with a notice.

    Raises UsageError where the only one keeps none, AccountError and RefusedError, EarlyStop where
    the records cannot be had now or a run holds the lock, StorageError.
    """
    settled, compared = DoubtsSettled(), []
    with open_state(state_dir, f"relightflow reconcile, process {os.getpid()},") as state:
        for record in records:
            async with _asking(state, record, operator, notice, RealClock()) as settler:
                real = await settler.backend.get()
                if not isinstance(real, HasHistory):
                    words = f"backend '{record.name}' has no records to compare with"
                    if len(records) == 1:
                        raise UsageError(words)
                    notice(words)
                    continue
                settled += await settler.settle()
                try:
                    bill = await real.bill(since, until, settler.retry())
                except CallFailed as error:
                    raise _unavailable(error.failure) from error
            attempts = recorded(state_dir, record.name)
            compared.append(compare(attempts, bill, since, until))
    return Reconciliation(
        backends=tuple(record.name for record in records),
        since=since,
        until=until,
        ours=tuple(request for one in compared for request in one.ours),
        others=tuple(request for one in compared for request in one.others),
        recorded=sum(one.recorded for one in compared),
        findings=tuple(finding for one in compared for finding in one.findings),
        resolution=_resolution(state_dir, settled),
    )


async def ask_records(
    state_dir: StateDir,
    records: Sequence[BackendRecord],
    operator: OperatorPolicy,
    notice: Callable[[str], None],
    clock: Clock | None = None,
    wait: bool = True,
) -> Resolution:
    """Settle what the backends' records prove about unknown outcomes. `wait`: until nothing is unknown
    that they will settle with time alone; else one look.

    Raises what `reconcile` raises.
    """
    clock = clock or RealClock()
    every = DoubtsSettled()
    with open_state(state_dir, f"relightflow resolve, process {os.getpid()},") as state:
        for record in records:
            async with _asking(state, record, operator, notice, clock) as settler:
                settled = await settler.settle()
                every += settled
                if not wait:
                    continue
                async for more in keep_asking(settler, settled, clock):
                    every += more
    return _resolution(state_dir, every)


@asynccontextmanager
async def _asking(
    state: OpenState,
    record: BackendRecord,
    operator: OperatorPolicy,
    notice: Callable[[str], None],
    clock: Clock,
) -> AsyncIterator[DoubtSettler]:
    """The backend, opened when it is first asked, and what looks its doubts up."""
    opened = open_backend(record, record.models[0], NO_OPTIONS, state, operator, notice)
    async with opened as backend:
        yield await _settler(state, record, backend, notice, clock)


async def _settler(
    state: OpenState,
    record: BackendRecord,
    backend: LazyBackend,
    notice: Callable[[str], None],
    clock: Clock,
) -> DoubtSettler:
    """Doubts alone; money is only counted, so the budget has no cap."""
    await state.ledger.interrupted_intents(record.name)
    budget = Budget()
    rng = Random()  # noqa: S311  jitter guards nothing

    def patience() -> RecordsPatience:
        return RecordsPatience(clock, rng, notice)

    return DoubtSettler(
        backend, record.name, state.ledger, budget, patience, notice, settlement=record.settlement
    )


def _unavailable(failure: Failure) -> RelightflowError:
    """Why there is no bill to compare with, as what a person has to do about it."""
    kinds = {FailureKind.ACCOUNT: AccountError, FailureKind.REFUSED_SAFETY: RefusedError}
    words = f"{failure.message}. Nothing was compared; try again later"
    return kinds.get(failure.kind, EarlyStop)(words)


def _resolution(state_dir: StateDir, settled: DoubtsSettled) -> Resolution:
    return Resolution(
        held_attempts(state_dir), adopted=settled.adopted, released=settled.absent + settled.failed
    )
