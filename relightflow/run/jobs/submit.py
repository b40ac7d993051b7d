"""From READY to the first step: the one place where money leaves.

    prepare → admission (limits, budget) → claim → INTENT, under a name of ours → submit

What decides stands in `run.limits`; this is the thin part that waits. A job's failure is a value;
what stops the run goes to the shutdown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import uuid4

from relightflow.core import failpoints
from relightflow.errors import StorageError
from relightflow.ledger.ledger import DuplicateAttempt, Ledger, damaged
from relightflow.model.attempt import State
from relightflow.model.evidence import BODY
from relightflow.model.failure import EXIT_OF, Billed, CallFailed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome
from relightflow.model.step import Step
from relightflow.model.summary import Issue
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call
from relightflow.run.context import RunContext
from relightflow.run.input_cache import InputCache
from relightflow.run.jobs.active_attempt import ActiveAttempt, AttemptRecorder
from relightflow.run.jobs.collect import Collector
from relightflow.run.jobs.remote import Prepare, RemoteWork, making
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.admission import Admission
from relightflow.run.limits.retry import LEAST_PAUSE, GiveUp, RetryCounts, decide, pause
from relightflow.run.limits.sliding_window import Permit
from relightflow.run.shared.claims import ClaimedElsewhere, JobClaims
from relightflow.run.shared.reservation import ReservationEnded
from relightflow.run.shutdown import Shutdown, Stopped
from relightflow.store.index_entry import attempt_facts, job_facts
from relightflow.store.request_bodies import RequestBodies

_TRY_NEXT_TIME = (FailureKind.ACCOUNT, FailureKind.REFUSED_SAFETY, FailureKind.UNSENT)
"""Not the job's fault: it stays READY."""
_NOT_SENT = "another machine took the job over, or the run was stopped, before it was sent"
_STOPS_THE_RUN = (*_TRY_NEXT_TIME, FailureKind.RATE_LIMITED)


@dataclass(frozen=True, slots=True)
class Submitter:
    context: RunContext
    backend: LazyBackend
    inputs: InputCache
    ledger: Ledger
    admission: Admission
    recorder: AttemptRecorder
    collector: Collector
    shutdown: Shutdown
    bodies: RequestBodies
    remote: RemoteWork
    claims: JobClaims | None = None
    """None: no other machine is asked for the job."""

    async def make(self, job: Job, instead_of: int | None = None) -> Outcome | None:
        """Buy `job`, at most once, and store the image. None: not started, the run is stopping.

        `instead_of`: an unknown attempt that its owner gives up for this one, together with INTENT
        or not at all. Raises ClaimedElsewhere: nothing was sent.
        """
        begun = self.context.clock.monotonic()

        async def life() -> Outcome:
            try:
                maker = await self._maker(job)
                prepared = None if maker else await self._prepared(job)
            except CallFailed as error:
                return await self._never_called(job, error.failure)
            try:
                return await self._submit(job, prepared, begun, instead_of, maker)
            finally:
                self.admission.ended(job)

        return await self.recorder.isolate_job(job, life)

    async def _prepared(self, job: Job) -> Any:
        """The job's input, ready to be sent. Raises CallFailed once it is not worth another try."""
        counts = RetryCounts()
        while True:
            try:
                with self.shutdown.submitting():
                    return await self.inputs.prepared(job.image)
            except CallFailed as error:
                failure = error.failure
                decision = decide(failure, counts, self.context.rng)
                if isinstance(decision, GiveUp):
                    raise CallFailed(decision.failure) from error
            if failure.kind is FailureKind.RATE_LIMITED:
                self.admission.rate_limited(failure)
            counts = decision.counts
            with self.shutdown.submitting():
                await self.context.clock.sleep(max(decision.after, _pause(failure)))

    async def _maker(self, job: Job) -> Callable[[Prepare], Awaitable[Step]] | None:
        """What makes the job on a worker. None: it has a price, or there is no worker."""
        if not self.context.free or self.remote.workers.shared(making(job)) is None:
            return None
        return await self.remote.maker(await self.backend.get(), job)

    async def _submit(
        self,
        job: Job,
        prepared: Any,
        begun: float,
        instead_of: int | None,
        maker: Callable[[Prepare], Awaitable[Step]] | None,
    ) -> Outcome:
        """Call until there is a step or a final failure; every call is an attempt of its own. `maker`: what
        is called in the backend's place, where the job is free."""
        backend = await self.backend.get()
        counts = RetryCounts()
        calls = 0
        while True:
            refused = self.admission.refusals.check(job)
            if refused:
                return await self._never_called(job, refused)
            permit = await self.admission.acquire(job)
            try:
                call, attempt = await self._intend(job, prepared, permit, instead_of)
            except ReservationEnded:  # nothing was sent
                self.admission.ended(job)
                continue
            instead_of = None
            calls += 1
            self.recorder.counters.calls += 1
            price = self.context.price_of(job).high
            active = ActiveAttempt(job, attempt, begun, calls, price, uuid=call.name)
            try:
                if maker:
                    step = await maker(lambda: self._prepared(job))
                else:
                    step = await backend.submit(call)
            except CallFailed as error:
                failure = error.failure
                self.admission.record(job, permit, failure)
                decision = decide(failure, counts, self.context.rng)
                if isinstance(decision, GiveUp):
                    return await self._close_failed(active, decision.failure)
            except BaseException:  # aborted, or a bug: nobody may go on waiting for this answer
                self.admission.release(job, permit)
                raise
            else:
                failpoints.reach("after-submit")
                self.admission.record(job, permit, None)
                forget = partial(self.bodies.forget, call.name)
                return await self.collector.finish(active, step, forget if call.body else None)
            await self.recorder.close(active, State.READY, failure)
            self.bodies.forget(call.name)
            counts = decision.counts
            self.recorder.counters.retries += 1
            self.admission.ended(job)
            await self._wait_before_retry(failure, decision.after)

    async def _wait_before_retry(self, failure: Failure, after: float) -> None:
        """`after`: seconds, as the retry rules say. Raises Stopped."""
        if failure.kind is FailureKind.RATE_LIMITED and self.admission.rate_limiter is None:
            after = _pause(failure)
        if after > 0:
            with self.shutdown.submitting():
                await self.context.clock.sleep(after)

    async def _intend(
        self, job: Job, prepared: Any, permit: Permit | None, instead_of: int | None
    ) -> tuple[Call, int]:
        """The call and its attempt: INTENT, durable, as late as possible, with all that is needed to
        send the same again. Raises StorageError where another attempt is alive."""
        own = self.context.price_of(job)
        price = own.high
        call = Call(job, prepared, uuid4().hex)
        claimed = False
        try:
            call, details = await self._named(call)
            if self.claims:
                await self.claims.take(job, call.name, details, instead_of)
                claimed = True
            failpoints.reach("before-intent")
            attempt = await self.ledger.intend(
                job, self.context.run_id, price, details, instead_of, call.name, own.low
            )  # fmt: skip
        except BaseException as error:
            self.admission.budget.release(price)
            self.admission.withdraw(job, permit)
            self.bodies.forget(call.name)
            if self.claims and claimed:
                self.claims.abandon(job, call.name)
            if isinstance(error, DuplicateAttempt):  # asked for the job, the ledger knew of none
                raise StorageError(
                    damaged(
                        self.ledger.path, f"its records contradict each other about job {job.id}"
                    )
                ) from error
            raise
        try:
            self.recorder.call_log.intent(job, call.name, details)
            if self.claims:
                await self.claims.check_held(job, call.name)
        except (StorageError, ClaimedElsewhere, Stopped) as error:
            words = str(error) if isinstance(error, StorageError) else _NOT_SENT
            unsent = Failure(FailureKind.UNSENT, words, Billed.NO)
            active = ActiveAttempt(job, attempt, 0.0, 0, price, uuid=call.name)
            await self.recorder.close(active, State.READY, unsent)
            self.bodies.forget(call.name)
            self.admission.withdraw(job, permit)
            raise
        failpoints.reach("after-intent")
        return call, attempt

    async def _named(self, call: Call) -> tuple[Call, FrozenMap]:
        """The call as it is sent, its body durable where it can be sent again, and the details of
        INTENT. Raises StorageError."""
        body = None if self.context.free else self.backend.request_body(call)
        if body is None:
            return call, self.backend.intent_details(call)
        call = replace(call, body=body)
        await asyncio.to_thread(self.bodies.keep, call.name, body)
        facts = {**self.backend.intent_details(call), BODY: sha256(body).hexdigest()}
        return call, FrozenMap(facts)

    async def _close_failed(self, active: ActiveAttempt, failure: Failure) -> Outcome:
        """A submit ended without a step, for good."""
        if failure.kept:
            facts = {**job_facts(active.job, active.price), **attempt_facts(active.uuid)}
            await self.collector.blobs.keep_aside(failure.kept, facts)
        if failure.billed is Billed.UNKNOWN:
            state = State.UNKNOWN
        elif failure.billed is Billed.NO and failure.kind in _TRY_NEXT_TIME:
            state = State.READY
        else:
            state = State.FAILED
        await self.recorder.close(active, state, failure)
        if state is not State.UNKNOWN:
            self.bodies.forget(active.uuid)
        return self.recorder.failed(active, failure)

    async def _never_called(self, job: Job, failure: Failure) -> Outcome:
        """The job failed before any call; that too is written down."""
        if failure.kind in _STOPS_THE_RUN:
            self.shutdown.stop_new(Issue(EXIT_OF[failure.kind], failure.message))
        try:
            await self.ledger.note_failure(job, self.context.run_id, failure)
        except DuplicateAttempt:
            raise Stopped from None
        self.recorder.fail_fast()
        return Outcome(job, failure=failure)


def _pause(failure: Failure) -> float:
    """Seconds to wait after a "come back later" where no rate limiter does the waiting."""
    return pause(failure.retry_after) or LEAST_PAUSE
