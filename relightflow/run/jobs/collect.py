"""From the first step to an image in the store: free of charge, and safe to repeat.

    ACCEPTED → RESULT_KNOWN → STORED        PAID_UNFETCHED → STORED

Each step is durable before the next is asked for, so another process can go on from any of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from relightflow.core import failpoints
from relightflow.errors import Exit
from relightflow.images import BadImage, probe
from relightflow.ledger.ledger import Ledger
from relightflow.model.attempt import Attempt, State
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.money import valid_cost
from relightflow.model.outcome import Outcome, Result
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.model.summary import Issue
from relightflow.run.context import RunContext
from relightflow.run.jobs.active_attempt import ActiveAttempt, AttemptRecorder
from relightflow.run.jobs.call_log import CallLog
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.admission import Admission
from relightflow.run.limits.retry import GiveUp, RetryCounts, decide_collect
from relightflow.run.shutdown import Shutdown
from relightflow.store.blobs import BlobStore
from relightflow.store.index_entry import job_facts, result_facts

DOWNLOAD_PATIENCE = 120.0
"""Seconds of failed downloads after which the next run goes on; the file lives for days."""
_POINT = {
    Accepted: "after-accepted",
    ResultKnown: "after-result-known",
    PaidUnfetched: "after-paid",
}
_STAYS = (
    FailureKind.PENDING,
    FailureKind.REFUSED_SAFETY,
    FailureKind.ACCOUNT,
    FailureKind.UNSENT,
    FailureKind.UNAVAILABLE,
)
"""After these the attempt stays as it is: the next run goes on from there."""


@dataclass(frozen=True, slots=True)
class Collector:
    context: RunContext
    backend: LazyBackend
    ledger: Ledger
    blobs: BlobStore
    admission: Admission
    recorder: AttemptRecorder
    call_log: CallLog
    shutdown: Shutdown
    keeps_requests: float
    """Seconds for which the provider remembers an accepted request; inf: for ever."""

    async def resume(
        self, job: Job, attempt: Attempt, step: Step, age: float = 0.0
    ) -> Outcome | None:
        """Go on with an attempt of an earlier process, `age` seconds old. None: the run is leaving."""
        active = ActiveAttempt(
            job,
            attempt.id,
            self.context.clock.monotonic(),
            calls=0,
            price=attempt.price,
            cost=attempt.cost,
            settled=attempt.billed is Billed.YES,
            age=age,
        )
        return await self.recorder.isolate_job(job, lambda: self.finish(active, step, known=True))

    async def finish(self, active: ActiveAttempt, step: Step, known: bool = False) -> Outcome:
        """Follow the steps to the image. `known`: the ledger already has the first one."""
        while not isinstance(step, Completed):
            if not known:
                await self.ledger.advance(active.id, step)
                await self.call_log.step(active.job, step)
                failpoints.reach(_POINT[type(step)])
            known = False
            if isinstance(step, Accepted):
                with self.admission.expiry_guard.waiting(active.id, active.age):
                    following = await self._next(step, active.age)
            else:
                self.recorder.settle(active, step.cost)
                following = await self._next(step, 0.0)
            if isinstance(step, ResultKnown) and _is_damaged(following):
                following = await self._next(step, 0.0)
            if isinstance(following, Failure):
                return await self._not_collected(active, step, following)
            step = following
            failpoints.reach("after-collect")
        return await self._keep(active, step)

    async def _next(self, step: Step, age: float) -> Step | Failure:
        """The step after `step`; failures that pass are tried again. Raises Stopped."""
        backend = await self.backend.get()
        clock, counts = self.context.clock, RetryCounts()
        accepted = isinstance(step, Accepted)
        patience = self.keeps_requests - age if accepted else DOWNLOAD_PATIENCE
        until = clock.monotonic() + patience
        while True:
            try:
                if not accepted:  # a download is short and worth finishing
                    return await backend.collect(step)
                with self.shutdown.collecting():
                    return await backend.collect(step)
            except CallFailed as error:
                failure = error.failure
            if failure.kind is FailureKind.RATE_LIMITED and self.admission.rate_limiter:
                self.admission.rate_limiter.limited(None, failure.retry_after)
            left = until - clock.monotonic() if math.isfinite(until) else math.inf
            decision = decide_collect(failure, counts, left, self.context.rng)
            if isinstance(decision, GiveUp):
                return decision.failure
            counts = decision.counts
            with self.shutdown.collecting():
                await clock.sleep(decision.after)

    async def _not_collected(self, active: ActiveAttempt, step: Step, failure: Failure) -> Outcome:
        """Polling or downloading ended without the next step."""
        if failure.kind is FailureKind.REFUSED_SAFETY:
            self.shutdown.stop_new(Issue(Exit.REFUSED, failure.message))
        if failure.kept:
            await self.blobs.keep_aside(failure.kept, job_facts(active.job, active.price))
        cut_short = isinstance(step, PaidUnfetched) and failure.kind is FailureKind.UNKNOWN
        if failure.kind in _STAYS or cut_short:
            return self.recorder.failed(active, failure)
        if active.settled and failure.billed is Billed.NO:  # the bill has been seen: it stands
            failure = replace(failure, billed=Billed.YES)
        if failure.kind is FailureKind.EXPIRED:
            billed = Billed.YES if active.settled else Billed.UNKNOWN
            failure = replace(failure, billed=billed)
        unknown = failure.kind is FailureKind.EXPIRED or failure.billed is Billed.UNKNOWN
        state = State.UNKNOWN if unknown else State.FAILED
        await self.recorder.close(active, state, failure)
        return self.recorder.failed(active, failure)

    async def _keep(self, active: ActiveAttempt, done: Completed) -> Outcome:
        """Check that it is an image, make it durable, then say so in the ledger."""
        try:
            image = probe(done.data)
        except BadImage as error:
            return await self._not_an_image(active, done, str(error))
        cost = valid_cost(done.cost)
        if active.price == 0:
            cost = 0
        elif cost is None:
            cost = active.cost
        result = Result(
            "",
            len(done.data),
            image.width,
            image.height,
            image.media_type,
            done.request_id,
            active.price if cost is None else cost,
            done.details,
        )
        facts = {**job_facts(active.job, active.price), **result_facts(result, cost)}
        result = replace(result, sha256=await self.blobs.put(done.data, facts))
        self.admission.disk_guard.seen(result.size)
        await self.ledger.stored(active.id, result, cost)
        failpoints.reach("after-stored")
        self.recorder.settle(active, cost)
        seconds = self.context.clock.monotonic() - active.begun
        return Outcome(active.job, active.id, result, attempts=active.calls, seconds=seconds)

    async def _not_an_image(self, active: ActiveAttempt, done: Completed, why: str) -> Outcome:
        failure = Failure(
            FailureKind.BAD_RESULT,
            f"the result is not an image ({why}); it is kept aside and not bought again by itself",
            Billed.NO if active.price == 0 else Billed.YES,
            cost=done.cost,
            request_id=done.request_id,
        )
        await self.blobs.keep_aside(done.data, job_facts(active.job, active.price))
        await self.recorder.close(active, State.FAILED, failure)
        return self.recorder.failed(active, failure)


def _is_damaged(following: Step | Failure) -> bool:
    """A download that is not an image. It may have been damaged on its way, with a length that
    agrees, so it is fetched once more before what was paid for is given up."""
    if isinstance(following, Failure):
        return following.kind is FailureKind.BAD_RESULT
    try:
        probe(following.data if isinstance(following, Completed) else b"")
    except BadImage:
        return True
    return False
