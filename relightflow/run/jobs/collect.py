"""From the first step to an image in the store: free of charge, and safe to repeat.

    ACCEPTED → RESULT_KNOWN → STORED        PAID_UNFETCHED → STORED

Each step is durable before the next is asked for, so another process can go on from any of them.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from typing import Any

from relightflow.core import failpoints
from relightflow.errors import Exit, StorageError
from relightflow.images import BadImage, probe
from relightflow.ledger.ledger import DuplicateRequest, Ledger
from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import SERVER_TIME, moment
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.money import valid_cost
from relightflow.model.outcome import Outcome, Result
from relightflow.model.step import FOLLOWS, Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.model.summary import Issue
from relightflow.plugins.backend import HasServerTime
from relightflow.run.context import RunContext
from relightflow.run.jobs.active_attempt import ActiveAttempt, AttemptRecorder
from relightflow.run.jobs.call_log import CallLog
from relightflow.run.jobs.remote import RemoteWork, StagedResult
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.admission import Admission
from relightflow.run.limits.retry import GiveUp, RetryCounts, decide_collect
from relightflow.run.shutdown import Shutdown
from relightflow.store.blobs import BlobStore
from relightflow.store.index_entry import attempt_facts, job_facts, result_facts
from relightflow.store.staged import Staged

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


BAD_RESULT = FailureKind.BAD_RESULT
_HELD = (FailureKind.EXPIRED, FailureKind.UNKNOWN)
"""What the provider's records may still have, even where the bill was seen."""
_MAY_COME_RIGHT = (BAD_RESULT, FailureKind.EXPIRED)
"""What a download may end in while its result still lives: not there yet, or a page in its place."""


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
    remote: RemoteWork
    keeps_requests: float
    """Seconds for which the provider remembers an accepted request; inf: for ever."""
    keeps_results: float = 0.0
    """Seconds for which a known result can be downloaded."""

    async def resume(
        self, job: Job, attempt: Attempt, step: Step, age: float = 0.0
    ) -> Outcome | None:
        """Go on with an attempt of an earlier process, `age` seconds old by this machine's clock, which may have
        been put right since: the provider's holds, where it is known. None: the run is leaving."""
        active = ActiveAttempt(
            job,
            attempt.id,
            self.context.clock.monotonic(),
            calls=0,
            price=attempt.price,
            cost=attempt.cost,
            settled=attempt.billed is Billed.YES,
            age=age,
            uuid=attempt.uuid,
        )

        async def life() -> Outcome:
            backend = await self.backend.get()
            now = backend.server_time() if isinstance(backend, HasServerTime) else None
            sent = moment(attempt.details.get(SERVER_TIME))
            if now is not None and sent is not None:
                active.age = max(0.0, now - sent)
            return await self.finish(active, step, known=True)

        return await self.recorder.isolate_job(job, life)

    async def finish(
        self,
        active: ActiveAttempt,
        step: Step,
        on_durable: Callable[[], None] | None = None,
        known: bool = False,
    ) -> Outcome:
        """Follow the steps to the image. `known`: the ledger already has the first one. `on_durable` is
        called when it has that, or the image."""
        while not isinstance(step, Completed):
            if not known:
                try:
                    await self.ledger.advance(active.id, step)
                except DuplicateRequest:
                    return await self._of_another_job(active, step)
                except StorageError:  # another file may take it, from where it is put back
                    await self.call_log.step(active.job, active.uuid, step)
                    raise
                if on_durable:
                    on_durable()
                await self.call_log.step(active.job, active.uuid, step)
                failpoints.reach(_POINT[type(step)])
            known = False
            if isinstance(step, Accepted):
                with self.admission.expiry_guard.waiting(active.id, active.age):
                    following = await self._next(step, active.age)
            else:
                self.recorder.settle(active, step.cost)
                following = await self._next(step, active.age)
            if isinstance(following, Failure):
                return await self._not_collected(active, step, following)
            if not isinstance(following, FOLLOWS[type(step)]):
                raise TypeError(
                    f"the backend gave {type(following).__name__} after {type(step).__name__}; a "
                    "call "
                    "that is still running raises CallFailed with FailureKind.PENDING"
                )
            step = following
            failpoints.reach("after-collect")
        outcome = await self._keep(active, step)
        if on_durable:
            on_durable()
        return outcome

    async def _next(self, step: Step, age: float) -> Step | Failure:
        """The step after `step`; failures that pass are tried again. Raises Stopped."""
        backend = await self.backend.get()
        clock, counts = self.context.clock, RetryCounts()
        accepted = isinstance(step, Accepted)
        patience = self.keeps_requests - age if accepted else DOWNLOAD_PATIENCE
        lives = isinstance(step, ResultKnown) and age < self.keeps_results
        tries = 0
        begun = clock.monotonic()
        until = begun + patience
        while True:
            try:
                if accepted:
                    with self.shutdown.collecting():
                        return await backend.collect(step)
                following = await self.remote.collect(backend, step)  # worth finishing
                damage = _damage(step, following)
                if damage is None:
                    return following
                failure = damage
            except CallFailed as error:
                failure = error.failure
            tries += 1
            if lives and failure.kind in _MAY_COME_RIGHT:
                failure = _comes_later(failure)
            elif isinstance(step, ResultKnown) and failure.kind is BAD_RESULT and tries < 2:
                continue  # it may have been damaged on its way
            elif isinstance(step, ResultKnown) and failure.kind is FailureKind.EXPIRED:
                return failure  # it has lived its time
            if failure.kind is FailureKind.RATE_LIMITED and self.admission.rate_limiter:
                self.admission.rate_limiter.limited(None, failure.retry_after)
            left = until - clock.monotonic() if math.isfinite(until) else math.inf
            if failure.billed is Billed.YES:  # done, and its result lives for days
                left = min(left, begun + DOWNLOAD_PATIENCE - clock.monotonic())
            decision = decide_collect(failure, counts, left, self.context.rng)
            if isinstance(decision, GiveUp):
                return decision.failure
            counts = decision.counts
            with self.shutdown.collecting():
                await clock.sleep(decision.after)

    async def _of_another_job(
        self, active: ActiveAttempt, step: Accepted | ResultKnown | PaidUnfetched
    ) -> Outcome:
        """The provider's id is another job's already: nothing is delivered for this one."""
        if isinstance(step, PaidUnfetched) and isinstance(step.body, AsyncGenerator):
            await step.body.aclose()
        billed = Billed.UNKNOWN if isinstance(step, Accepted) else Billed.YES
        words = "the provider answered with the request id of another job, so it is unknown whose result it is; held, and looked up in the provider's records"
        failure = Failure(FailureKind.UNKNOWN, words, billed)
        await self.recorder.close(active, State.UNKNOWN, failure)
        return self.recorder.failed(active, failure)

    async def _not_collected(self, active: ActiveAttempt, step: Step, failure: Failure) -> Outcome:
        """Polling or downloading ended without the next step."""
        if failure.kind is FailureKind.REFUSED_SAFETY:
            self.shutdown.stop_new(Issue(Exit.REFUSED, failure.message))
        if failure.kept:
            await self.blobs.keep_aside(failure.kept, _label(active))
        if failure.kind is FailureKind.TOO_LARGE and failure.billed is Billed.YES:
            failure = _comes_later(failure)
        cut_short = (
            isinstance(step, PaidUnfetched)
            and failure.kind is FailureKind.UNKNOWN
            and bool(step.request_id)  # without an id only the records can find it: a doubt
        )
        if failure.kind in _STAYS or cut_short:
            return self.recorder.failed(active, failure)
        if active.settled and failure.billed is Billed.NO:  # the bill has been seen: it stands
            failure = replace(failure, billed=Billed.YES)
        if failure.kind is FailureKind.EXPIRED:
            billed = Billed.YES if active.settled else Billed.UNKNOWN
            failure = replace(failure, billed=billed)
        unknown = failure.billed is Billed.UNKNOWN or failure.kind in _HELD
        if unknown and not active.price:  # what is free cannot be in doubt: it is made again
            unknown, failure = False, replace(failure, kind=FailureKind.JOB_FAILED)
        state = State.UNKNOWN if unknown else State.FAILED
        await self.recorder.close(active, state, failure)
        return self.recorder.failed(active, failure)

    async def _keep(self, active: ActiveAttempt, done: Completed) -> Outcome:
        """Check that it is an image, make it durable, then say so in the ledger."""
        try:
            image = done.file if isinstance(done, StagedResult) else probe(done.data)
        except BadImage as error:
            return await self._not_an_image(active, done, str(error))
        cost = valid_cost(done.cost)
        if active.price == 0:
            cost = 0
        elif cost is None:
            cost = active.cost
        known = (
            image.size if isinstance(image, Staged) else len(done.data),
            image.width,
            image.height,
            image.media_type,
            done.request_id,
            active.price if cost is None else cost,
            done.details,
        )
        facts = {**_label(active), **result_facts(Result("", *known), cost)}
        if isinstance(image, Staged):
            sha256 = await self.blobs.adopt(image, facts)
        else:
            sha256 = await self.blobs.put(done.data, facts)
        result = Result(sha256, *known)
        self.admission.disk_guard.seen(result.size)
        await self.ledger.stored(active.id, result, cost)
        failpoints.reach("after-stored")
        self.recorder.settle(active, cost)
        seconds = self.context.clock.monotonic() - active.begun
        return Outcome(active.job, active.id, result, attempts=active.calls, seconds=seconds)

    async def _not_an_image(self, active: ActiveAttempt, done: Completed, why: str) -> Outcome:
        failure = Failure(
            FailureKind.BAD_RESULT,
            f"the result is not a supported image ({why}); it is set aside and not bought again "
            "automatically",
            Billed.NO if active.price == 0 else Billed.YES,
            cost=done.cost,
            request_id=done.request_id,
        )
        await self.blobs.keep_aside(done.data, _label(active))
        await self.recorder.close(active, State.FAILED, failure)
        return self.recorder.failed(active, failure)


def _label(active: ActiveAttempt) -> dict[str, Any]:
    """Whose result it is, for the blob store's index."""
    return {**job_facts(active.job, active.price), **attempt_facts(active.uuid)}


def _damage(step: Step, following: Step) -> Failure | None:
    """Why a download is not an image; None where it is one, or where there is nothing to fetch again."""
    if not isinstance(step, ResultKnown) or not isinstance(following, Completed):
        return None
    if isinstance(following, StagedResult):  # the worker has looked
        return None
    try:
        probe(following.data)
    except BadImage as error:
        words = f"the result is not a supported image ({error}); it is set aside and not bought again automatically"
        return Failure(
            BAD_RESULT,
            words,
            Billed.YES,
            cost=step.cost,
            request_id=step.request_id,
            kept=following.data,
        )
    return None


def _comes_later(failure: Failure) -> Failure:
    """The same, as something that the next try or the next run may fetch."""
    words = f"{failure.message}. It was paid for and should still exist: the next run downloads it again"
    return replace(failure, kind=FailureKind.PENDING, billed=Billed.YES, message=words)
