"""From the first step to a picture in the store: free of charge, and safe to repeat.

    ACCEPTED → RESULT_KNOWN → STORED        PAID_UNFETCHED → STORED

Each step is durable before the next is asked for, so another process can go on from any of them.
"""

from __future__ import annotations

import math
from dataclasses import replace

from relightflow import crash
from relightflow.errors import Exit
from relightflow.model.attempt import Attempt, State
from relightflow.model.failure import Billed, CallFailed, Failure, Kind
from relightflow.model.job import Job
from relightflow.model.money import believed
from relightflow.model.outcome import Outcome, Result
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.model.summary import Trouble
from relightflow.pictures import BadPicture, Probed, probe
from relightflow.run import trail
from relightflow.run.bench import Bench, label
from relightflow.run.purchase import Purchase, close, failed, kept_apart, settle
from relightflow.run.retry import GiveUp, Tally, decide_collect

DOWNLOAD_PATIENCE = 120.0
"""Seconds of failed downloads after which the next run goes on; the file lives for days."""
_POINT = {
    Accepted: "after-accepted",
    ResultKnown: "after-result-known",
    PaidUnfetched: "after-paid",
}


async def resume(
    bench: Bench, job: Job, attempt: Attempt, step: Step, age: float = 0.0
) -> Outcome | None:
    """Go on with an attempt of an earlier process, `age` seconds old. None: the run is leaving."""
    purchase = Purchase(
        job,
        attempt.id,
        bench.clock.monotonic(),
        calls=0,
        price=attempt.price,
        cost=attempt.cost,
        settled=attempt.billed is Billed.YES,
        age=age,
    )
    return await kept_apart(bench, job, lambda: finish(bench, purchase, step, known=True))


async def finish(bench: Bench, purchase: Purchase, step: Step, known: bool = False) -> Outcome:
    """Follow the steps to the picture. `known`: the ledger already has the first one."""
    while not isinstance(step, Completed):
        if not known:
            await bench.ledger.advance(purchase.attempt, step)
            trail.advanced(bench, purchase.job, step)
            if bench.shared and isinstance(step, Accepted):
                facts = label(purchase.job, bench.price)
                await bench.shared.announce(facts, step, bench.clock.wall())
            crash.reach(_POINT[type(step)])
        known = False
        if not isinstance(step, Accepted):
            settle(bench, purchase, step.cost)
        if isinstance(step, Accepted):
            with bench.accepted.waiting(purchase.attempt, purchase.age):
                following = await _next(bench, step, purchase.age)
        else:
            following = await _next(bench, step, 0.0)
        if isinstance(step, ResultKnown) and _spoilt(following):
            following = await _next(bench, step, 0.0)
        if isinstance(following, Failure):
            return await _not_collected(bench, purchase, step, following)
        step = following
        crash.reach("after-collect")
    return await _keep(bench, purchase, step)


def _spoilt(following: Step | Failure) -> bool:
    """A download that is no picture. It may have been spoilt on its way, with a length that agrees,
    so it is fetched once more before what was paid for is given up."""
    if isinstance(following, Failure):
        return following.kind is Kind.BAD_RESULT
    try:
        probe(following.data if isinstance(following, Completed) else b"")
    except BadPicture:
        return True
    return False


async def _next(bench: Bench, step: Step, age: float) -> Step | Failure:
    """The step after `step`; failures that pass are tried again. Raises Stopped."""
    backend = await bench.backend.get()
    tally = Tally()
    accepted = isinstance(step, Accepted)
    patience = bench.keeps_requests - age if accepted else DOWNLOAD_PATIENCE
    until = bench.clock.monotonic() + patience
    while True:
        try:
            if not accepted:  # a download is short and worth finishing
                return await backend.collect(step)
            with bench.brake.collecting():
                return await backend.collect(step)
        except CallFailed as verdict:
            failure = verdict.failure
        if failure.kind is Kind.RATE_LIMITED and bench.gate:
            bench.gate.limited(None, failure.retry_after)
        left = until - bench.clock.monotonic() if math.isfinite(until) else math.inf
        decision = decide_collect(failure, tally, left, bench.rng)
        if isinstance(decision, GiveUp):
            return decision.failure
        tally = decision.tally
        with bench.brake.collecting():
            await bench.clock.sleep(decision.after)


_STAYS = (Kind.PENDING, Kind.REFUSED_SAFETY, Kind.ACCOUNT, Kind.UNSENT, Kind.UNAVAILABLE)
"""After these the attempt stays as it is: the next run goes on from there."""


async def _not_collected(bench: Bench, purchase: Purchase, step: Step, failure: Failure) -> Outcome:
    """Polling or downloading ended without the next step."""
    if failure.kind is Kind.REFUSED_SAFETY:
        bench.brake.stop_submits(Trouble(Exit.REFUSED, failure.message))
    if failure.kept:
        await bench.blobs.keep_aside(failure.kept, label(purchase.job, purchase.price))
    cut_short = isinstance(step, PaidUnfetched) and failure.kind is Kind.UNKNOWN
    if failure.kind in _STAYS or cut_short:
        return failed(bench, purchase, failure)
    if purchase.settled and failure.billed is Billed.NO:  # the bill has been seen: it stands
        failure = replace(failure, billed=Billed.YES)
    if failure.kind is Kind.EXPIRED:
        billed = Billed.YES if purchase.settled else Billed.UNKNOWN
        failure = replace(failure, billed=billed)
    unknown = failure.kind is Kind.EXPIRED or failure.billed is Billed.UNKNOWN
    await close(bench, purchase, State.UNKNOWN if unknown else State.FAILED, failure)
    return failed(bench, purchase, failure)


async def _keep(bench: Bench, purchase: Purchase, done: Completed) -> Outcome:
    """Check that it is a picture, make it durable, then say so in the ledger."""
    try:
        picture = probe(done.data)
    except BadPicture as error:
        return await _no_picture(bench, purchase, done, str(error))
    cost = believed(done.cost)
    if purchase.price == 0:
        cost = 0
    elif cost is None:
        cost = purchase.cost
    result = Result(
        await _store(bench, purchase, done, picture, cost),
        len(done.data),
        picture.width,
        picture.height,
        picture.media_type,
        done.request_id,
        purchase.price if cost is None else cost,
        done.details,
    )
    bench.room.seen(result.size)
    await bench.ledger.stored(purchase.attempt, result, cost)
    crash.reach("after-stored")
    settle(bench, purchase, cost)
    seconds = bench.clock.monotonic() - purchase.begun
    return Outcome(purchase.job, purchase.attempt, result, attempts=purchase.calls, seconds=seconds)


async def _store(
    bench: Bench, purchase: Purchase, done: Completed, picture: Probed, cost: int | None
) -> str:
    facts = {
        **label(purchase.job, purchase.price),
        "cost": cost,
        "request_id": done.request_id,
        "size": len(done.data),
        "width": picture.width,
        "height": picture.height,
        "media_type": picture.media_type,
        "details": done.details,
    }
    return await bench.blobs.put(done.data, facts)


async def _no_picture(bench: Bench, purchase: Purchase, done: Completed, why: str) -> Outcome:
    failure = Failure(
        Kind.BAD_RESULT,
        f"the result is no picture ({why}); it is kept aside and not bought again by itself",
        Billed.NO if purchase.price == 0 else Billed.YES,
        cost=done.cost,
        request_id=done.request_id,
    )
    await bench.blobs.keep_aside(done.data, label(purchase.job, purchase.price))
    await close(bench, purchase, State.FAILED, failure)
    return failed(bench, purchase, failure)
