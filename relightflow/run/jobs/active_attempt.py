"""One attempt under way, and what is recorded of it in the ledger, the budget and the call log."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from relightflow.core.redact import redacted
from relightflow.errors import Exit, RelightflowError, StorageError
from relightflow.ledger.ledger import Ledger
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.money import Micros, dollars, valid_cost
from relightflow.model.outcome import Outcome
from relightflow.model.summary import Issue
from relightflow.run.context import RunContext
from relightflow.run.counters import Counters
from relightflow.run.jobs.call_log import CallLog
from relightflow.run.jobs.index_progress import IndexProgress
from relightflow.run.limits.budget import Budget
from relightflow.run.shared.claims import ClaimedElsewhere
from relightflow.run.shutdown import Shutdown, Stopped


@dataclass(slots=True)
class ActiveAttempt:
    job: Job
    id: int
    """Of the ledger's row."""
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
    uuid: str = ""
    """Its name in the blob store's index."""


@dataclass(frozen=True, slots=True)
class AttemptRecorder:
    """Records how attempts end, and keeps a job's failure from harming other jobs."""

    context: RunContext
    ledger: Ledger
    budget: Budget
    counters: Counters
    shutdown: Shutdown
    call_log: CallLog
    index_progress: IndexProgress

    async def isolate_job(
        self, job: Job, life: Callable[[], Awaitable[Outcome | None]]
    ) -> Outcome | None:
        """`life()` of one job, so that whatever it meets is a value and harms no other job.

        None: not started, or left for the next run, because this one is stopping. Raises ClaimedElsewhere.
        """
        try:
            with self.counters.working, self.shutdown.working(), self.index_progress.job():
                return await life()
        except Stopped:
            return None
        except ClaimedElsewhere:
            raise
        except StorageError as error:
            return self.storage_failed(job, error)
        except RelightflowError as error:  # the backend cannot be used: no key, say
            self.shutdown.stop_new(Issue(error.exit_code, str(error)))
            return None
        except Exception as error:
            return _unexpected(job, error)

    def settle(self, active: ActiveAttempt, cost: Micros | float | None) -> None:
        """It was billed: book the real cost, the highest price where that is unknown."""
        cost = valid_cost(cost)
        if active.cost is None:
            active.cost = cost
        if active.settled:
            return
        active.settled = True
        self.book(active.price, cost, active.id)

    def book(self, price: Micros, cost: float | None, attempt: int) -> None:
        """An attempt that was reserved at `price` was billed. One that cost more than a run tolerates
        stops it."""
        settled = self.budget.settle(price, cost, attempt)
        if settled.overcharged:
            self.shutdown.whole.stop_new(
                Issue(
                    Exit.BUDGET,
                    f"the provider charged {dollars(settled.cost)} USD for a call planned at up to "
                    f"{dollars(price)} USD; nothing more was sent. Check the provider's prices",
                )
            )

    async def close(self, active: ActiveAttempt, state: State, failure: Failure) -> None:
        """The attempt ended without an image: book the money, write it down."""
        if active.price == 0:
            failure = replace(failure, billed=Billed.NO)
            state = State.READY if state is State.UNKNOWN else state
        if failure.billed is Billed.YES:
            self.settle(active, failure.cost)
        elif not active.settled and failure.billed is Billed.NO:
            self.budget.release(active.price, active.id)
        elif not active.settled:
            self.budget.hold(active.price, active.id)
        try:
            await self.ledger.close_attempt(active.id, state, failure)
        except StorageError:  # what the ledger refuses is put back from there
            await self.call_log.end(active.job, active.uuid, state, failure)
            raise
        await self.call_log.end(active.job, active.uuid, state, failure)

    def failed(self, active: ActiveAttempt, failure: Failure) -> Outcome:
        """The outcome of an attempt that gave no image."""
        self.fail_fast()
        seconds = self.context.clock.monotonic() - active.begun
        return Outcome(
            active.job, active.id, failure=failure, attempts=active.calls, seconds=seconds
        )

    def fail_fast(self) -> None:
        """A job failed: stop here where the recipe says so."""
        if self.context.limits.fail_fast and self.shutdown.submits_allowed:
            self.shutdown.whole.stop_new(
                Issue(Exit.JOBS_FAILED, "stopped at the first failure (limits.fail_fast)")
            )

    def storage_failed(
        self, job: Job, error: StorageError, billed: Billed = Billed.UNKNOWN
    ) -> Outcome:
        """The disk refused: stop, and leave the attempt as the ledger last saw it. `billed`: NO where there
        is none."""
        self.index_progress.stop()
        self.shutdown.drain(Issue(error.exit_code, str(error)))
        return Outcome(job, failure=Failure(FailureKind.PENDING, str(error), billed))


def _unexpected(job: Job, error: Exception) -> Outcome:
    """Nobody's answer: the attempt stays as it is, so nothing is bought twice."""
    what = redacted(f"{type(error).__name__}: {error}")
    trace = redacted("".join(traceback.format_exception(error)))
    message = f"unexpected {what}; this is a bug in relightflow or in a plugin"
    return Outcome(job, failure=Failure(FailureKind.BUG, message, Billed.UNKNOWN, trace=trace))
