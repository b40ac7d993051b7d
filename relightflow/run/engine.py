"""Plan → a stream of outcomes: recovery first, then every job that is not in place yet."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace

from relightflow.bounded import bounded
from relightflow.errors import DamagedError
from relightflow.ledger.reader import Reader, reading
from relightflow.model.failure import CallFailed, Failure, Kind
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome, Result
from relightflow.model.plan import Plan
from relightflow.model.step import Completed, ResultKnown
from relightflow.plugins.backend import Call
from relightflow.run.adopt import CannotAsk, adopted, publish_if_untold
from relightflow.run.bench import Bench, label
from relightflow.run.interrupted import settle_interrupted
from relightflow.run.purchase import kept_apart
from relightflow.run.recovery import recover, settle
from relightflow.run.submit import make
from relightflow.run.walk import Item, Todo, walk
from relightflow.store.blobs import MissingBlob, put_aside, read


async def run(plan: Plan, bench: Bench, submit: bool = True) -> AsyncGenerator[Outcome]:
    """Every job that had to be touched, as it finishes; what is in place is only counted.

    `submit` False: nothing is bought, only fetched. Ends early where the brake is put on; what is
    left then is not in the stream.
    """
    recovered = {outcome.job.key: outcome async for outcome in recover(bench)}
    with reading(bench.ledger_path) as reader, reading(bench.ledger_path) as notes:
        walked = walk(plan, reader, bench.blobs_path)
        items = _to_do(bench, walked, submit, recovered, reader)

        async def one(item: Item) -> Outcome | None:
            outcome = recovered.get(item.output.job.key)
            if outcome is None or item.todo in (Todo.MAKE, Todo.MEND):
                outcome = await _deal_with(bench, item)
            if bench.shared and outcome and outcome.result:
                publish_if_untold(bench, bench.shared, notes, outcome.job, outcome.result)
            return outcome and replace(outcome, output=item.output)

        width = bench.limits.concurrency
        found = bounded(items, width, one, lambda: not bench.brake.leaving)
        async with aclosing(found):
            async for outcome in found:
                if outcome is not None:
                    bench.board.count(outcome)
                    yield outcome
    await _doubt_the_wordless(bench)
    if not bench.brake.leaving and (await settle(bench)).adopted:
        async for outcome in recover(bench):
            bench.board.count_late(outcome)


async def _doubt_the_wordless(bench: Bench) -> None:
    """What a bug or a torn call of this run left in INTENT is unknown, in the ledger and the books."""
    left = await settle_interrupted(
        bench.ledger, bench.ledger_path, bench.blobs_path, bench.backend_name
    )
    for attempt in left:
        bench.budget.doubt(attempt.price)


async def _to_do(
    bench: Bench,
    items: AsyncIterator[Item],
    submit: bool,
    recovered: Mapping[str, Outcome],
    reader: Reader,
) -> AsyncIterator[Item]:
    """The items that need a hand; those in place are counted, those that must wait passed over."""
    async for item in items:
        if item.todo is Todo.REUSE and item.output.job.key not in recovered:
            bench.board.reused += 1
            if bench.shared and item.standing:
                result = item.standing.result
                publish_if_untold(bench, bench.shared, reader, item.output.job, result)
        elif item.todo is Todo.MAKE and not (submit and bench.brake.submits_allowed):
            continue
        else:
            yield item


async def _deal_with(bench: Bench, item: Item) -> Outcome | None:
    job, standing = item.output.job, item.standing
    if item.todo is Todo.MAKE:
        return await _adopted(bench, job) if bench.shared else await make(bench, job)
    if item.todo is Todo.MEND:
        return await kept_apart(bench, job, lambda: _mend(bench, item))
    if item.todo is Todo.HOLD_UNKNOWN and standing and _may_resubmit(bench):
        return await make(bench, job, instead_of=standing.attempt_id) or _held(item)
    return _held(item)


async def _adopted(bench: Bench, job: Job) -> Outcome | None:
    """What another machine made of it; bought where none did. None: not started."""
    assert bench.shared
    try:
        outcome = await adopted(bench, bench.shared, job)
    except CannotAsk:
        return None
    return outcome or await make(bench, job)


def _may_resubmit(bench: Bench) -> bool:
    """`limits.on_unknown: resubmit`: the recipe's owner accepts a second bill, within the cap.

    The old attempt goes on counting as possibly billed.
    """
    wanted = bench.limits.on_unknown == "resubmit" and bench.budget.cap is not None
    return wanted and bench.brake.submits_allowed


def _held(item: Item) -> Outcome:
    """What an earlier run left and this one must not touch, said again."""
    standing = item.standing
    assert standing
    kinds = {Todo.HOLD_UNKNOWN: Kind.UNKNOWN, Todo.HOLD_FAILED: Kind.BAD_RESULT}
    kind = kinds.get(item.todo, Kind.PENDING)
    reason = standing.reason or "not collected yet; the next run goes on"
    failure = Failure(kind, reason, standing.billed, request_id=standing.request_id)
    return Outcome(item.output.job, standing.attempt_id, failure=failure)


async def _mend(bench: Bench, item: Item) -> Outcome:
    """The blob of a finished job is gone or damaged: fetch it again, never buy it again."""
    standing, job = item.standing, item.output.job
    assert standing
    assert standing.result
    data = await _fetched_again(bench, job, standing.attempt_id, standing.result)
    if data is None:
        failure = Failure(
            Kind.DAMAGED,
            f"the stored result {standing.result.sha256[:16]} is lost or damaged and cannot be "
            "fetched again; it was paid for and is not bought again by itself. Put the blob back "
            "from a copy, or buy it again with 'relightflow resolve --resubmit'",
            standing.billed,
        )
        return Outcome(job, standing.attempt_id, failure=failure)
    await bench.blobs.put(data, label(job, standing.price))
    return Outcome(job, standing.attempt_id, standing.result)


async def _fetched_again(bench: Bench, job: Job, attempt_id: int, result: Result) -> bytes | None:
    """The very bytes that were lost; None where nobody has them any more."""
    data: bytes | None
    try:
        data = await asyncio.to_thread(read, bench.blobs_path, result.sha256)
    except DamagedError as error:
        if not isinstance(error, MissingBlob):  # out of the way, so that it counts as lost
            await asyncio.to_thread(put_aside, bench.blobs_path, result.sha256)
        data = await _from_backend(bench, job, attempt_id)
    return data if data and hashlib.sha256(data).hexdigest() == result.sha256 else None


async def _from_backend(bench: Bench, job: Job, attempt_id: int) -> bytes | None:
    backend = await bench.backend.get()
    try:
        if bench.free:
            call = Call(job, await bench.inputs.prepared(job.image))
            step = await backend.submit(call)
            while not isinstance(step, Completed):
                step = await backend.collect(step)
        else:
            with reading(bench.ledger_path) as reader:
                attempt = reader.attempt(attempt_id)
            if attempt is None or not attempt.url:
                return None
            known = ResultKnown(attempt.request_id, attempt.url, attempt.cost, attempt.details)
            step = await backend.collect(known)
    except CallFailed:
        return None
    return step.data if isinstance(step, Completed) else None
