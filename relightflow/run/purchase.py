"""One attempt on its way, and the books that are kept of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from relightflow.errors import Exit, StorageError
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, Kind
from relightflow.model.job import Job
from relightflow.model.money import Micros, dollars
from relightflow.model.outcome import Outcome
from relightflow.model.summary import Trouble
from relightflow.run import trail
from relightflow.run.bench import Bench


@dataclass(slots=True)
class Purchase:
    job: Job
    attempt: int
    """Its id in the ledger."""
    begun: float
    """When work on the job began, on the monotonic clock."""
    calls: int
    """Made for the job in this run."""
    settled: bool = False
    """Its cost is booked; until then the highest price is reserved."""
    age: float = 0.0
    """Seconds since the provider accepted it, where an earlier process submitted it."""


def settle(bench: Bench, purchase: Purchase, cost: Micros | None) -> None:
    """It was billed: book the real cost, the highest price where that is unknown."""
    if purchase.settled:
        return
    purchase.settled = True
    settled = bench.budget.settle(bench.price, cost)
    if settled.overcharged:
        bench.brake.stop_submits(
            Trouble(
                Exit.BUDGET,
                f"the provider charged {dollars(settled.cost)} USD for a call planned at up to "
                f"{dollars(bench.price)} USD; nothing more was sent. Check the provider's price",
            )
        )


async def close(bench: Bench, purchase: Purchase, state: State, failure: Failure) -> None:
    """The attempt ended without a picture: book the money, write it down."""
    if bench.free:
        failure = replace(failure, billed=Billed.NO)
        state = State.READY if state is State.UNKNOWN else state
    if failure.billed is Billed.YES:
        settle(bench, purchase, failure.cost)
    elif not purchase.settled and failure.billed is Billed.NO:
        bench.budget.release(bench.price)
    elif not purchase.settled:
        bench.budget.hold(bench.price)
    await bench.ledger.close_attempt(purchase.attempt, state, failure)
    trail.ended(bench, purchase.job, state, failure)


def failed(bench: Bench, purchase: Purchase, failure: Failure) -> Outcome:
    fail_fast(bench)
    seconds = bench.clock.monotonic() - purchase.begun
    return Outcome(
        purchase.job, purchase.attempt, failure=failure, attempts=purchase.calls, seconds=seconds
    )


def fail_fast(bench: Bench) -> None:
    if bench.limits.fail_fast and bench.brake.submits_allowed:
        bench.brake.stop_submits(
            Trouble(Exit.JOBS_FAILED, "stopped at the first failure, as limits.fail_fast says")
        )


def storage_failed(bench: Bench, job: Job, error: StorageError) -> Outcome:
    """The disk refused: stop, and leave the attempt as the ledger last saw it."""
    bench.brake.leave(Trouble(error.exit_code, str(error)))
    return Outcome(job, failure=Failure(Kind.PENDING, str(error), Billed.UNKNOWN))


def bug(job: Job, error: Exception) -> Outcome:
    """Nobody's answer: the attempt stays as it is, so nothing is bought twice."""
    what = f"{type(error).__name__}: {error}"
    message = f"unexpected {what}; this is a bug in relightflow or in a plugin"
    return Outcome(job, failure=Failure(Kind.BUG, message, Billed.UNKNOWN))
