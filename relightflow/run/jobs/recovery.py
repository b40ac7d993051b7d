"""What earlier processes left behind, before anything new is bought.

Unknown attempts are settled as their backend has declared (`doubts`), and whatever is accepted or paid
is collected, the oldest first, because the provider forgets. (That INTENT became UNKNOWN when the
ledger was opened stands in `run.opening`.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from relightflow.core import failpoints
from relightflow.core.bounded_map import bounded_map
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import Attempt, State
from relightflow.model.outcome import Outcome
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown, Step
from relightflow.run.context import RunContext
from relightflow.run.jobs.collect import Collector
from relightflow.run.jobs.doubts import DoubtSettler, DoubtsSettled, keep_asking
from relightflow.run.jobs.resend import job_of
from relightflow.run.limits.budget import Budget
from relightflow.run.restoring import restore
from relightflow.run.shutdown import Shutdown, Stopped


@dataclass(frozen=True, slots=True)
class Recovery:
    context: RunContext
    ledger: Ledger
    blobs_path: Path
    budget: Budget
    doubts: DoubtSettler
    collector: Collector
    shutdown: Shutdown
    mine: Callable[[Attempt], bool] = lambda _: True
    """Which calls of the backend it collects; as `DoubtSettler.mine`."""

    async def recover(self) -> AsyncIterator[Outcome]:
        """Everything that an earlier process paid for or may have. Nothing new is bought."""
        failpoints.reach("recovery-started")
        await self.settle()
        async with aclosing(self.collect()) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def collect(self) -> AsyncGenerator[Outcome]:
        """Everything that is accepted or paid and not fetched yet."""
        every = _open_attempts(self.ledger.path, self.context.backend)
        attempts = [attempt for attempt in every if self.mine(attempt)]

        async def one(attempt: Attempt) -> Outcome | None:
            age = max(0.0, self.context.clock.wall() - attempt.created)
            resume = self.collector.resume
            outcome = await resume(job_of(attempt), attempt, _step_of(attempt), age)
            failpoints.reach("recovery-collected")
            return outcome

        width = self.context.limits.concurrency
        found = bounded_map(_each(attempts), width, one, lambda: not self.shutdown.draining)
        async with aclosing(found):
            async for outcome in found:
                if outcome is not None:
                    yield outcome

    async def settle(self, every: bool = True) -> DoubtsSettled:
        """Settle the doubts of the run's own backend; see `DoubtSettler.settle`. Nothing is settled
        where the run is shut down meanwhile."""
        try:
            return await self.doubts.settle(every)
        except Stopped:
            return DoubtsSettled()

    async def keep_asking(self, settled: DoubtsSettled) -> AsyncGenerator[DoubtsSettled]:
        """What time alone settles, as it is settled; ends early where the run is shut down."""
        try:
            async with aclosing(keep_asking(self.doubts, settled, self.context.clock)) as looks:
                async for later in looks:
                    yield later
        except Stopped:
            return

    async def hold_unanswered(self) -> None:
        """What a bug or an aborted call of this run left in INTENT is unknown, in the ledger and in
        the budget; of all models of the backend, while no call of it is in flight."""
        await asyncio.to_thread(restore, self.blobs_path, self.ledger)
        for attempt in await self.ledger.interrupted_intents(self.context.backend):
            budget = self.budget.of(attempt.backend, attempt.model)
            budget.hold(attempt.price, attempt.id)


def _open_attempts(ledger: Path, backend: str) -> list[Attempt]:
    with open_reader(ledger) as reader:
        return [a for a in reader.open_attempts(backend) if a.state is not State.UNKNOWN]


async def _each(attempts: Sequence[Attempt]) -> AsyncIterator[Attempt]:
    for attempt in attempts:
        yield attempt


def _step_of(attempt: Attempt) -> Step:
    """How far a ledger row had come."""
    if attempt.state is State.ACCEPTED:
        return Accepted(attempt.request_id, attempt.details)
    if attempt.state is State.RESULT_KNOWN:
        return ResultKnown(attempt.request_id, attempt.url, attempt.cost, attempt.details)
    assert attempt.state is State.PAID_UNFETCHED, attempt.state
    return PaidUnfetched(attempt.request_id, attempt.cost, attempt.details)
