"""One attempt on its way, and the books that are kept of it."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from relightflow.core.redact import redacted
from relightflow.errors import Exit, RelightflowError, StorageError
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.money import Micros, dollars, valid_cost
from relightflow.model.outcome import Outcome
from relightflow.model.summary import Issue
from relightflow.run.context import RunContext
from relightflow.run.jobs import call_log
from relightflow.run.shutdown import Stopped


@dataclass(slots=True)
class ActiveAttempt:
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


async def isolate_job(
    context: RunContext, job: Job, life: Callable[[], Awaitable[Outcome | None]]
) -> Outcome | None:
    """`life()` of one job, so that whatever it meets is a value and harms no other job.

    None: not started, or left for the next run, because this one is stopping.
    """
    context.counters.in_flight += 1
    try:
        with context.shutdown.working():
            return await life()
    except Stopped:
        return None
    except StorageError as error:
        return storage_failed(context, job, error)
    except RelightflowError as error:  # the backend cannot be used: no key, say
        context.shutdown.stop_new(Issue(error.exit_code, str(error)))
        return None
    except Exception as error:
        return unexpected(job, error)
    finally:
        context.counters.in_flight -= 1


def settle(context: RunContext, active: ActiveAttempt, cost: Micros | None) -> None:
    """It was billed: book the real cost, the highest price where that is unknown."""
    cost = valid_cost(cost)
    if active.cost is None:
        active.cost = cost
    if active.settled:
        return
    active.settled = True
    settled = context.budget.settle(active.price, cost)
    if settled.overcharged:
        context.shutdown.stop_new(
            Issue(
                Exit.BUDGET,
                f"the provider charged {dollars(settled.cost)} USD for a call planned at up to "
                f"{dollars(active.price)} USD; nothing more was sent. Check the provider's price",
            )
        )


async def close(context: RunContext, active: ActiveAttempt, state: State, failure: Failure) -> None:
    """The attempt ended without an image: book the money, write it down."""
    if active.price == 0:
        failure = replace(failure, billed=Billed.NO)
        state = State.READY if state is State.UNKNOWN else state
    if failure.billed is Billed.YES:
        settle(context, active, failure.cost)
    elif not active.settled and failure.billed is Billed.NO:
        context.budget.release(active.price)
    elif not active.settled:
        context.budget.hold(active.price)
    await context.ledger.close_attempt(active.attempt, state, failure)
    call_log.log_end(context, active.job, state, failure)


def failed(context: RunContext, active: ActiveAttempt, failure: Failure) -> Outcome:
    fail_fast(context)
    seconds = context.clock.monotonic() - active.begun
    return Outcome(
        active.job, active.attempt, failure=failure, attempts=active.calls, seconds=seconds
    )


def fail_fast(context: RunContext) -> None:
    if context.limits.fail_fast and context.shutdown.submits_allowed:
        context.shutdown.stop_new(
            Issue(Exit.JOBS_FAILED, "stopped at the first failure, as limits.fail_fast says")
        )


def storage_failed(context: RunContext, job: Job, error: StorageError) -> Outcome:
    """The disk refused: stop, and leave the attempt as the ledger last saw it."""
    context.shutdown.drain(Issue(error.exit_code, str(error)))
    return Outcome(job, failure=Failure(FailureKind.PENDING, str(error), Billed.UNKNOWN))


def unexpected(job: Job, error: Exception) -> Outcome:
    """Nobody's answer: the attempt stays as it is, so nothing is bought twice."""
    what = redacted(f"{type(error).__name__}: {error}")
    trace = redacted("".join(traceback.format_exception(error)))
    message = f"unexpected {what}; this is a bug in relightflow or in a plugin"
    return Outcome(job, failure=Failure(FailureKind.BUG, message, Billed.UNKNOWN, trace=trace))
