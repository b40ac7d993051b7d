"""What earlier processes left behind, before anything new is bought.

Unknown attempts are looked up in the provider's records, and whatever is accepted or paid is
collected, the oldest first, because the provider forgets. (That INTENT became UNKNOWN when the
ledger was opened stands in `run.opening`.)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from relightflow.core import failpoints
from relightflow.core.bounded_map import bounded_map
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import Attempt, State
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.plugins.backend import HasHistory
from relightflow.run.context import RunContext
from relightflow.run.jobs.collect import Collector
from relightflow.run.jobs.interrupted import settle_interrupted
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.budget import Budget
from relightflow.run.shutdown import Shutdown

RECORDS_LAG_SECONDS = 600.0
"""Seconds after which the provider's records are taken to know a call, if it was taken at all. How
much they lag is nowhere documented; too long costs a wait, too short a second bill."""


@dataclass(frozen=True, slots=True)
class DoubtsSettled:
    """What the provider's records said about unknown attempts."""

    adopted: int = 0
    failed: int = 0
    absent: int = 0

    def __add__(self, other: DoubtsSettled) -> DoubtsSettled:
        return DoubtsSettled(
            self.adopted + other.adopted, self.failed + other.failed, self.absent + other.absent
        )


@dataclass(frozen=True, slots=True)
class Recovery:
    context: RunContext
    backend: LazyBackend
    ledger: Ledger
    blobs_path: Path
    budget: Budget
    collector: Collector
    shutdown: Shutdown

    async def recover(self) -> AsyncIterator[Outcome]:
        """Everything that an earlier process paid for or may have. Nothing is submitted."""
        failpoints.reach("recovery-started")
        await self.settle()
        attempts = _open_attempts(self.ledger.path, self.context.backend)

        async def one(attempt: Attempt) -> Outcome | None:
            age = max(0.0, self.context.clock.wall() - attempt.created)
            resume = self.collector.resume
            outcome = await resume(job_of(attempt), attempt, step_of(attempt), age)
            failpoints.reach("recovery-collected")
            return outcome

        width = self.context.limits.concurrency
        found = bounded_map(_each(attempts), width, one, lambda: not self.shutdown.draining)
        async with aclosing(found):
            async for outcome in found:
                if outcome is not None:
                    yield outcome

    async def settle(self) -> DoubtsSettled:
        """Settle the doubts of the run's own backend."""
        now = self.context.clock.wall()
        return await settle_doubts(
            self.backend, self.context.backend, self.ledger, self.budget, now
        )

    async def hold_unanswered(self) -> None:
        """What a bug or an aborted call of this run left in INTENT is unknown, in the ledger and in
        the budget."""
        left = await settle_interrupted(self.ledger, self.blobs_path, self.context.backend)
        for attempt in left:
            self.budget.doubt(attempt.price)


async def settle_doubts(
    backend: LazyBackend, name: str, ledger: Ledger, budget: Budget, now: float
) -> DoubtsSettled:
    """Look unknown attempts of backend `name` up in the provider's records, free of charge, and
    write down what the evidence says. Without evidence they stay unknown. `now`: Unix seconds."""
    with open_reader(ledger.path) as reader:
        doubts = reader.unknown_attempts(name)
        known = reader.request_ids() if doubts else frozenset()
    if not doubts:
        return DoubtsSettled()
    real = await backend.get()
    if not isinstance(real, HasHistory):
        return DoubtsSettled()
    try:
        evidence = await real.look_up(doubts, known, now - RECORDS_LAG_SECONDS)
    except CallFailed:
        return DoubtsSettled()  # the records are out of reach: nothing is known, nothing changes
    by_id = {attempt.id: attempt for attempt in doubts}
    for attempt_id, step in evidence.adopted:
        await _adopt(ledger, budget, by_id[attempt_id], step)
    for attempt_id, why in evidence.failed:
        await _release(ledger, budget, by_id[attempt_id], State.FAILED, why)
    for attempt_id in evidence.absent:
        why = "the provider's records hold no such call; nothing was billed"
        await _release(ledger, budget, by_id[attempt_id], State.READY, why)
    return DoubtsSettled(len(evidence.adopted), len(evidence.failed), len(evidence.absent))


async def _adopt(ledger: Ledger, budget: Budget, attempt: Attempt, step: Step) -> None:
    assert not isinstance(step, Completed | PaidUnfetched)
    if attempt.billed is Billed.UNKNOWN:
        budget.resume(attempt.price)
        if isinstance(step, ResultKnown):
            budget.settle(attempt.price, step.cost)
    await ledger.advance(attempt.id, step)


async def _release(
    ledger: Ledger, budget: Budget, attempt: Attempt, state: State, why: str
) -> None:
    if attempt.billed is Billed.UNKNOWN:
        budget.resume(attempt.price)
        budget.release(attempt.price)
    await ledger.close_attempt(attempt.id, state, Failure(FailureKind.JOB_FAILED, why))


def _open_attempts(ledger: Path, backend: str) -> list[Attempt]:
    with open_reader(ledger) as reader:
        return [a for a in reader.open_attempts(backend) if a.state is not State.UNKNOWN]


async def _each(attempts: Sequence[Attempt]) -> AsyncIterator[Attempt]:
    for attempt in attempts:
        yield attempt


def job_of(attempt: Attempt) -> Job:
    """The job of a ledger row; its image has lost its name, never its identity."""
    image = Image("", attempt.image_sha256, 0, 0, 0, "", 0, "")
    return Job(
        attempt.job_key, image, attempt.backend, attempt.model, attempt.parameters, attempt.repeat
    )


def step_of(attempt: Attempt) -> Step:
    """How far a ledger row had come."""
    if attempt.state is State.ACCEPTED:
        return Accepted(attempt.request_id, attempt.details)
    if attempt.state is State.RESULT_KNOWN:
        return ResultKnown(attempt.request_id, attempt.url, attempt.cost, attempt.details)
    assert attempt.state is State.PAID_UNFETCHED, attempt.state
    return PaidUnfetched(attempt.request_id, attempt.cost, attempt.details)
