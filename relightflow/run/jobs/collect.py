"""From the first step to an image in the store: free of charge, and safe to repeat.

    ACCEPTED → RESULT_KNOWN → STORED        PAID_UNFETCHED → STORED

Each step is durable before the next is asked for, so another process can go on from any of them.
"""

from __future__ import annotations

import math
from dataclasses import replace

from relightflow.core import failpoints
from relightflow.errors import Exit
from relightflow.images import BadImage, Probed, probe
from relightflow.model.attempt import Attempt, State
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.money import valid_cost
from relightflow.model.outcome import Outcome, Result
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.model.summary import Issue
from relightflow.run.context import RunContext, index_facts
from relightflow.run.jobs import call_log
from relightflow.run.jobs.active_attempt import ActiveAttempt, close, failed, isolate_job, settle
from relightflow.run.limits.retry import GiveUp, RetryCounts, decide_collect

DOWNLOAD_PATIENCE = 120.0
"""Seconds of failed downloads after which the next run goes on; the file lives for days."""
_POINT = {
    Accepted: "after-accepted",
    ResultKnown: "after-result-known",
    PaidUnfetched: "after-paid",
}


async def resume(
    context: RunContext, job: Job, attempt: Attempt, step: Step, age: float = 0.0
) -> Outcome | None:
    """Go on with an attempt of an earlier process, `age` seconds old. None: the run is leaving."""
    active = ActiveAttempt(
        job,
        attempt.id,
        context.clock.monotonic(),
        calls=0,
        price=attempt.price,
        cost=attempt.cost,
        settled=attempt.billed is Billed.YES,
        age=age,
    )
    return await isolate_job(context, job, lambda: finish(context, active, step, known=True))


async def finish(
    context: RunContext, active: ActiveAttempt, step: Step, known: bool = False
) -> Outcome:
    """Follow the steps to the image. `known`: the ledger already has the first one."""
    while not isinstance(step, Completed):
        if not known:
            await context.ledger.advance(active.attempt, step)
            call_log.log_step(context, active.job, step)
            if context.shared and isinstance(step, Accepted):
                facts = index_facts(active.job, context.price)
                await context.shared.announce(facts, step, context.clock.wall())
            failpoints.reach(_POINT[type(step)])
        known = False
        if not isinstance(step, Accepted):
            settle(context, active, step.cost)
        if isinstance(step, Accepted):
            with context.expiry_guard.waiting(active.attempt, active.age):
                following = await _next(context, step, active.age)
        else:
            following = await _next(context, step, 0.0)
        if isinstance(step, ResultKnown) and _is_damaged(following):
            following = await _next(context, step, 0.0)
        if isinstance(following, Failure):
            return await _not_collected(context, active, step, following)
        step = following
        failpoints.reach("after-collect")
    return await _keep(context, active, step)


def _is_damaged(following: Step | Failure) -> bool:
    """A download that is not an image. It may have been spoilt on its way, with a length that agrees,
    so it is fetched once more before what was paid for is given up."""
    if isinstance(following, Failure):
        return following.kind is FailureKind.BAD_RESULT
    try:
        probe(following.data if isinstance(following, Completed) else b"")
    except BadImage:
        return True
    return False


async def _next(context: RunContext, step: Step, age: float) -> Step | Failure:
    """The step after `step`; failures that pass are tried again. Raises Stopped."""
    backend = await context.backend.get()
    counts = RetryCounts()
    is_accepted = isinstance(step, Accepted)
    patience = context.keeps_requests - age if is_accepted else DOWNLOAD_PATIENCE
    until = context.clock.monotonic() + patience
    while True:
        try:
            if not is_accepted:  # a download is short and worth finishing
                return await backend.collect(step)
            with context.shutdown.collecting():
                return await backend.collect(step)
        except CallFailed as error:
            failure = error.failure
        if failure.kind is FailureKind.RATE_LIMITED and context.rate_limiter:
            context.rate_limiter.limited(None, failure.retry_after)
        left = until - context.clock.monotonic() if math.isfinite(until) else math.inf
        decision = decide_collect(failure, counts, left, context.rng)
        if isinstance(decision, GiveUp):
            return decision.failure
        counts = decision.counts
        with context.shutdown.collecting():
            await context.clock.sleep(decision.after)


_STAYS = (
    FailureKind.PENDING,
    FailureKind.REFUSED_SAFETY,
    FailureKind.ACCOUNT,
    FailureKind.UNSENT,
    FailureKind.UNAVAILABLE,
)
"""After these the attempt stays as it is: the next run goes on from there."""


async def _not_collected(
    context: RunContext, active: ActiveAttempt, step: Step, failure: Failure
) -> Outcome:
    """Polling or downloading ended without the next step."""
    if failure.kind is FailureKind.REFUSED_SAFETY:
        context.shutdown.stop_new(Issue(Exit.REFUSED, failure.message))
    if failure.kept:
        await context.blobs.keep_aside(failure.kept, index_facts(active.job, active.price))
    cut_short = isinstance(step, PaidUnfetched) and failure.kind is FailureKind.UNKNOWN
    if failure.kind in _STAYS or cut_short:
        return failed(context, active, failure)
    if active.settled and failure.billed is Billed.NO:  # the bill has been seen: it stands
        failure = replace(failure, billed=Billed.YES)
    if failure.kind is FailureKind.EXPIRED:
        billed = Billed.YES if active.settled else Billed.UNKNOWN
        failure = replace(failure, billed=billed)
    unknown = failure.kind is FailureKind.EXPIRED or failure.billed is Billed.UNKNOWN
    await close(context, active, State.UNKNOWN if unknown else State.FAILED, failure)
    return failed(context, active, failure)


async def _keep(context: RunContext, active: ActiveAttempt, done: Completed) -> Outcome:
    """Check that it is an image, make it durable, then say so in the ledger."""
    try:
        image = probe(done.data)
    except BadImage as error:
        return await _not_an_image(context, active, done, str(error))
    cost = valid_cost(done.cost)
    if active.price == 0:
        cost = 0
    elif cost is None:
        cost = active.cost
    result = Result(
        await _store(context, active, done, image, cost),
        len(done.data),
        image.width,
        image.height,
        image.media_type,
        done.request_id,
        active.price if cost is None else cost,
        done.details,
    )
    context.disk_guard.seen(result.size)
    await context.ledger.stored(active.attempt, result, cost)
    failpoints.reach("after-stored")
    settle(context, active, cost)
    seconds = context.clock.monotonic() - active.begun
    return Outcome(active.job, active.attempt, result, attempts=active.calls, seconds=seconds)


async def _store(
    context: RunContext, active: ActiveAttempt, done: Completed, image: Probed, cost: int | None
) -> str:
    facts = {
        **index_facts(active.job, active.price),
        "cost": cost,
        "request_id": done.request_id,
        "size": len(done.data),
        "width": image.width,
        "height": image.height,
        "media_type": image.media_type,
        "details": done.details,
    }
    return await context.blobs.put(done.data, facts)


async def _not_an_image(
    context: RunContext, active: ActiveAttempt, done: Completed, why: str
) -> Outcome:
    failure = Failure(
        FailureKind.BAD_RESULT,
        f"the result is not an image ({why}); it is kept aside and not bought again by itself",
        Billed.NO if active.price == 0 else Billed.YES,
        cost=done.cost,
        request_id=done.request_id,
    )
    await context.blobs.keep_aside(done.data, index_facts(active.job, active.price))
    await close(context, active, State.FAILED, failure)
    return failed(context, active, failure)
