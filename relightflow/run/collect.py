"""From the first step to a picture in the store: free of charge, and safe to repeat.

    ACCEPTED → RESULT_KNOWN → STORED        PAID_UNFETCHED → STORED

Each step is durable before the next is asked for, so another process can go on from any of them.
"""

from __future__ import annotations

import math
from dataclasses import replace

from relightflow import crash
from relightflow.errors import Exit, RelightflowError, StorageError
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, CallFailed, Failure, Kind
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome, Result
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.model.summary import Trouble
from relightflow.pictures import BadPicture, Probed, probe
from relightflow.run import trail
from relightflow.run.bench import Bench, label
from relightflow.run.brake import Stopped
from relightflow.run.purchase import Purchase, bug, close, failed, settle, storage_failed
from relightflow.run.retry import GiveUp, Tally, decide_collect

DOWNLOAD_PATIENCE = 120.0
"""Seconds of failed downloads after which the next run goes on; the file lives for days."""
_POINT = {
    Accepted: "after-accepted",
    ResultKnown: "after-result-known",
    PaidUnfetched: "after-paid",
}


async def resume(
    bench: Bench, job: Job, attempt: int, step: Step, age: float = 0.0
) -> Outcome | None:
    """Go on with an attempt of an earlier process, `age` seconds old. None: the run is leaving."""
    settled = not isinstance(step, Accepted)
    purchase = Purchase(job, attempt, bench.clock.monotonic(), 0, settled, age)
    bench.board.in_flight += 1
    try:
        with bench.brake.working():
            return await finish(bench, purchase, step, known=True)
    except Stopped:
        return None
    except StorageError as error:
        return storage_failed(bench, job, error)
    except RelightflowError as error:  # the backend cannot be used: no key, say
        bench.brake.stop_submits(Trouble(error.exit_code, str(error)))
        return None
    except Exception as error:  # one job's bug must not stop the others
        return bug(job, error)
    finally:
        bench.board.in_flight -= 1


async def finish(bench: Bench, purchase: Purchase, step: Step, known: bool = False) -> Outcome:
    """Follow the steps to the picture. `known`: the ledger already has the first one."""
    while not isinstance(step, Completed):
        if not known:
            await bench.ledger.advance(purchase.attempt, step)
            trail.advanced(bench, purchase.job, step)
            crash.reach(_POINT[type(step)])
        known = False
        if not isinstance(step, Accepted):
            settle(bench, purchase, step.cost)
        if isinstance(step, Accepted):
            with bench.accepted.waiting(purchase.attempt, purchase.age):
                following = await _next(bench, step, purchase.age)
        else:
            following = await _next(bench, step, 0.0)
        if isinstance(following, Failure):
            return await _not_collected(bench, purchase, step, following)
        step = following
        crash.reach("after-collect")
    return await _keep(bench, purchase, step)


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
        await bench.blobs.keep_aside(failure.kept, label(purchase.job, bench.price))
    cut_short = isinstance(step, PaidUnfetched) and failure.kind is Kind.UNKNOWN
    if failure.kind in _STAYS or cut_short:
        return failed(bench, purchase, failure)
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
    cost = 0 if bench.free else done.cost
    result = Result(
        await _store(bench, purchase, done, picture, cost),
        len(done.data),
        picture.width,
        picture.height,
        picture.media_type,
        done.request_id,
        bench.price if cost is None else cost,
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
        **label(purchase.job, bench.price),
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
        Billed.NO if bench.free else Billed.YES,
        cost=done.cost,
        request_id=done.request_id,
    )
    await bench.blobs.keep_aside(done.data, label(purchase.job, bench.price))
    await close(bench, purchase, State.FAILED, failure)
    return failed(bench, purchase, failure)
