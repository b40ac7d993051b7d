"""Whether one more call may be made now: waits for what passes, refuses what does not.

    refusals → room in the budget → expiring results → circuit breaker → rate limit → lock → disk → reserve,
    in the shared store too, where there is one

Each rule decides in a module of its own; this is the thin part that asks them in their order and
tells them what a call came to.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from relightflow.errors import EarlyStop, Exit
from relightflow.ledger.lock import HeldLock
from relightflow.model.catalog import Price
from relightflow.model.failure import EXIT_OF, Billed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.summary import Issue
from relightflow.objects.faults import ObjectFault
from relightflow.run.context import RunContext
from relightflow.run.counters import Counters
from relightflow.run.limits.budget import Budget, Room
from relightflow.run.limits.circuit_breaker import CircuitBreaker, Refusals
from relightflow.run.limits.guards import DiskGuard, ExpiryGuard
from relightflow.run.limits.rate_limit import RateLimiter
from relightflow.run.limits.sliding_window import Permit
from relightflow.run.limits.spend import reached
from relightflow.run.shared.claims import JobClaims, stop_buying
from relightflow.run.shared.reservation import RunReservation
from relightflow.run.shutdown import Shutdown, Stopped


def _is_like_all(failure: Failure) -> bool:
    """Whether every call would be left in doubt so: by the same refusal of something in between."""
    lost = failure.kind is FailureKind.UNKNOWN and failure.billed is Billed.UNKNOWN
    return lost and 400 <= (failure.status or 0) < 500


@dataclass(frozen=True, slots=True)
class Admission:
    context: RunContext
    budget: Budget
    rate_limiter: RateLimiter | None
    """None: the backend has no account whose rate could be exceeded."""
    circuit_breaker: CircuitBreaker
    refusals: Refusals
    expiry_guard: ExpiryGuard
    disk_guard: DiskGuard
    counters: Counters
    shutdown: Shutdown
    lock: HeldLock
    claims: JobClaims | None = None
    """None: no other machine is asked for room."""
    call_ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def acquire(self, job: Job) -> Permit | None:
        """Wait until the call may be made, then reserve its price. Raises Stopped; ClaimedElsewhere where
        others used up the limits and the job may be among what they made.

        `ended` must follow, whatever becomes of the call.
        """
        price = self.context.price_of(job)
        while True:
            permit = await self._permit(job, price)
            if everything := self._lock_issue() or self._disk_issue():
                self.shutdown.whole.stop_new(everything)
            issue = None
            if self.shutdown.submits_allowed:
                try:
                    if await self._reserved(job, price):
                        return permit
                    if self.budget.room(price) is Room.NO:
                        if self._reservation and self.claims:
                            await self.claims.check_free(job)
                        issue = Issue(Exit.BUDGET, reached(self.budget, price))
                except BaseException:
                    self.withdraw(job, permit)
                    raise
            self.release(job, permit)
            if issue is not None:
                self.shutdown.stop_new(issue)
            if not self.shutdown.submits_allowed:
                raise Stopped

    @property
    def _reservation(self) -> RunReservation | None:
        return self.claims.reservation if self.claims else None

    async def _reserved(self, job: Job, price: Price) -> bool:
        """Set the price aside, here and where machines share a store, there. Raises Stopped."""
        while not self.budget.reserve(job.key, price):
            if self._reservation is None or self.budget.room(price) is not Room.YES:
                return False
            try:
                with self.shutdown.submitting():
                    more = await self._reservation.extend(self.budget, price)
            except ObjectFault as fault:
                stop_buying(self.shutdown, fault)
                raise Stopped from fault
            if not more:
                return False
        return True

    async def _room_may_change(self, price: Price) -> None:
        if self._reservation and not self.budget.in_use:
            await self._reservation.wait(self.budget, price)
        else:
            self.call_ended.clear()
            await self.call_ended.wait()

    def ended(self, job: Job) -> None:
        """The job has no call in flight any more; one that waits for room may look again."""
        self.budget.ended(job.key)
        self.call_ended.set()

    async def _permit(self, job: Job, price: Price) -> Permit | None:
        """Raises Stopped."""
        if self._nothing_to_wait_for(price):
            return None
        permit = None
        try:
            with self.shutdown.submitting(), self.counters.waiting:
                while self.budget.room(price) is Room.LATER:
                    await self._room_may_change(price)
                await self.expiry_guard.none_expiring()
                await self.circuit_breaker.closed(job.key)
                if self.rate_limiter:
                    permit = await self.rate_limiter.enter()
        except EarlyStop as stop:
            self._stop_early(stop)
            raise Stopped from stop
        except ObjectFault as fault:
            stop_buying(self.shutdown, fault)
            raise Stopped from fault
        return permit

    def _nothing_to_wait_for(self, price: Price) -> bool:
        waits = self.expiry_guard.expiring or self.circuit_breaker.is_open
        return self.rate_limiter is None and not waits and self.budget.room(price) is not Room.LATER

    def release(self, job: Job, permit: Permit | None) -> None:
        """The job was let through, and no answer of it will be heard."""
        self.circuit_breaker.forget(job.key)
        if self.rate_limiter and permit:
            self.rate_limiter.answered(permit)

    def withdraw(self, job: Job, permit: Permit | None) -> None:
        """The job was let through, and nothing left: another may, in its place."""
        self.circuit_breaker.forget(job.key)
        if self.rate_limiter and permit:
            self.rate_limiter.withdrawn(permit)

    def record(self, job: Job, permit: Permit | None, failure: Failure | None) -> None:
        """What a submit came to; None: it gave a step. Stops the run where a person is needed."""
        self.circuit_breaker.note(job.key, failure)
        self.refusals.note(job, failure)
        if self.rate_limiter and permit:
            if failure and failure.kind is FailureKind.RATE_LIMITED:
                self._stop_early(self.rate_limiter.limited(permit, failure.retry_after))
            else:
                self.rate_limiter.answered(permit)
        if failure and failure.kind in (FailureKind.ACCOUNT, FailureKind.REFUSED_SAFETY):
            self.shutdown.stop_new(Issue(EXIT_OF[failure.kind], failure.message))
        if failure and _is_like_all(failure):
            words = "the next calls would get the same answer, so nothing more was sent"
            self.shutdown.stop_new(Issue(Exit.EARLY, f"{failure.message}; {words}"))

    def rate_limited(self, failure: Failure) -> None:
        """A free call was answered with 429: everybody waits."""
        if self.rate_limiter:
            self._stop_early(self.rate_limiter.limited(None, failure.retry_after))

    def _stop_early(self, stop: EarlyStop | None) -> None:
        if stop:
            self.shutdown.stop_new(Issue(Exit.EARLY, str(stop)))

    def _lock_issue(self) -> Issue | None:
        """Nothing is bought beside another run, which knows nothing of what this one spends."""
        if not self.lock.lost:
            return None
        return Issue(
            Exit.EARLY,
            f"the lock {self.lock.path} was deleted or replaced during this run, so another run "
            "could have started; nothing more was sent. Do not delete the file, and run again "
            "when no other run is active",
        )

    def _disk_issue(self) -> Issue | None:
        """Nothing is bought that could not be stored."""
        if self.context.free:
            return None
        missing = self.disk_guard.missing(self.counters.in_flight)
        if not missing:
            return None
        return Issue(
            Exit.STORAGE,
            f"the disk with {self.disk_guard.folder} is short of {missing >> 20:,} MB for the "
            "results of the calls in flight and one more; nothing more was sent. Free some "
            "space, then run again",
        )
