"""What earlier processes left behind, before anything new is bought.

Unknown attempts are looked up in the provider's records, and whatever is accepted or paid is
collected, the oldest first, because the provider forgets. (That INTENT became UNKNOWN when the
ledger was opened stands in `setup`.)
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
from relightflow.run.jobs.collect import resume
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.budget import Budget

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


async def recover(context: RunContext) -> AsyncIterator[Outcome]:
    """Everything that an earlier process paid for or may have. Nothing is submitted."""
    failpoints.reach("recovery-started")
    await settle(context)
    attempts = _open_attempts(context.ledger_path, context.backend_name)

    async def one(attempt: Attempt) -> Outcome | None:
        age = max(0.0, context.clock.wall() - attempt.created)
        outcome = await resume(context, job_of(attempt), attempt, step_of(attempt), age)
        failpoints.reach("recovery-collected")
        return outcome

    width = context.limits.concurrency
    found = bounded_map(_each(attempts), width, one, lambda: not context.shutdown.draining)
    async with aclosing(found):
        async for outcome in found:
            if outcome is not None:
                yield outcome


async def settle(context: RunContext) -> DoubtsSettled:
    """Settle the doubts of the run's own backend."""
    return await settle_doubts(
        context.backend,
        context.backend_name,
        context.ledger,
        context.ledger_path,
        context.budget,
        context.clock.wall(),
    )


async def settle_doubts(
    backend: LazyBackend, name: str, ledger: Ledger, path: Path, budget: Budget, now: float
) -> DoubtsSettled:
    """Look unknown attempts of backend `name` up in the provider's records, free of charge, and
    write down what the evidence says. Without evidence they stay unknown. `now`: Unix seconds."""
    with open_reader(path) as reader:
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
