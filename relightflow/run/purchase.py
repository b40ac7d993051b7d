"""One attempt on its way, and the books that are kept of it."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from relightflow.errors import Exit, RelightflowError, StorageError
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, Kind
from relightflow.model.job import Job
from relightflow.model.money import Micros, believed, dollars
from relightflow.model.outcome import Outcome
from relightflow.model.summary import Trouble
from relightflow.redact import redacted
from relightflow.run import trail
from relightflow.run.bench import Bench
from relightflow.run.brake import Stopped


@dataclass(slots=True)
class Purchase:
    job: Job
    attempt: int
    """Its id in the ledger."""
    begun: float
    """When work on the job began, on the monotonic clock."""
    calls: int
    """Made for the job in this run."""
    price: Micros
    """What is reserved for it: its own, which may differ from the present model's."""
    cost: Micros | None = None
    """What was charged, once the provider has said so."""
    settled: bool = False
    """Its cost is booked; until then the highest price is reserved."""
    age: float = 0.0
    """Seconds since the provider accepted it, where an earlier process submitted it."""


async def kept_apart(
    bench: Bench, job: Job, life: Callable[[], Awaitable[Outcome | None]]
) -> Outcome | None:
    """`life()` of one job, so that whatever it meets is a value and harms no other job.

    None: not started, or left for the next run, because this one is stopping.
    """
    bench.board.in_flight += 1
    try:
        with bench.brake.working():
            return await life()
    except Stopped:
        return None
    except StorageError as error:
        return storage_failed(bench, job, error)
    except RelightflowError as error:  # the backend cannot be used: no key, say
        bench.brake.stop_submits(Trouble(error.exit_code, str(error)))
        return None
    except Exception as error:
        return bug(job, error)
    finally:
        bench.board.in_flight -= 1


def settle(bench: Bench, purchase: Purchase, cost: Micros | None) -> None:
    """It was billed: book the real cost, the highest price where that is unknown."""
    cost = believed(cost)
    if purchase.cost is None:
        purchase.cost = cost
    if purchase.settled:
        return
    purchase.settled = True
    settled = bench.budget.settle(purchase.price, cost)
    if settled.overcharged:
        bench.brake.stop_submits(
            Trouble(
                Exit.BUDGET,
                f"the provider charged {dollars(settled.cost)} USD for a call planned at up to "
                f"{dollars(purchase.price)} USD; nothing more was sent. Check the provider's price",
            )
        )


async def close(bench: Bench, purchase: Purchase, state: State, failure: Failure) -> None:
    """The attempt ended without a picture: book the money, write it down."""
    if purchase.price == 0:
        failure = replace(failure, billed=Billed.NO)
        state = State.READY if state is State.UNKNOWN else state
    if failure.billed is Billed.YES:
        settle(bench, purchase, failure.cost)
    elif not purchase.settled and failure.billed is Billed.NO:
        bench.budget.release(purchase.price)
    elif not purchase.settled:
        bench.budget.hold(purchase.price)
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
    what = redacted(f"{type(error).__name__}: {error}")
    trace = redacted("".join(traceback.format_exception(error)))
    message = f"unexpected {what}; this is a bug in relightflow or in a plugin"
    return Outcome(job, failure=Failure(Kind.BUG, message, Billed.UNKNOWN, trace=trace))
