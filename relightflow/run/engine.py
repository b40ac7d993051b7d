"""Plan → a stream of outcomes: recovery first, then every job that is not in place yet."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace

from relightflow.core.bounded_map import bounded_map
from relightflow.errors import DamagedError
from relightflow.ledger.reader import Reader, open_reader
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome, Result
from relightflow.model.plan import Plan
from relightflow.model.step import Completed, ResultKnown
from relightflow.plugins.backend import Call
from relightflow.run.actions import Action, Item, items
from relightflow.run.context import RunContext, index_facts
from relightflow.run.jobs.active_attempt import isolate_job
from relightflow.run.jobs.interrupted import settle_interrupted
from relightflow.run.jobs.recovery import recover, settle
from relightflow.run.jobs.submit import make
from relightflow.run.shared.adopt import SharedStoreUnavailable, adopt_shared, publish_if_missing
from relightflow.store.blobs import MissingBlob, put_aside, read


async def run(plan: Plan, context: RunContext, submit: bool = True) -> AsyncGenerator[Outcome]:
    """Every job that had to be touched, as it finishes; what is in place is only counted.

    `submit` False: nothing is bought, only fetched. Ends early where the brake is put on; what is
    left then is not in the stream.
    """
    recovered = {outcome.job.key: outcome async for outcome in recover(context)}
    with open_reader(context.ledger_path) as reader, open_reader(context.ledger_path) as notes:
        every = items(plan, reader, context.blobs_path)
        wanted = _to_do(context, every, submit, recovered, reader)

        async def one(item: Item) -> Outcome | None:
            outcome = recovered.get(item.output.job.key)
            if outcome is None or item.action in (Action.MAKE, Action.MEND):
                outcome = await _perform(context, item)
            if context.shared and outcome and outcome.result:
                publish_if_missing(context, context.shared, notes, outcome.job, outcome.result)
            return outcome and replace(outcome, output=item.output)

        width = context.limits.concurrency
        found = bounded_map(wanted, width, one, lambda: not context.shutdown.draining)
        async with aclosing(found):
            async for outcome in found:
                if outcome is not None:
                    context.counters.count(outcome)
                    yield outcome
    await _hold_unanswered(context)
    if not context.shutdown.draining and (await settle(context)).adopted:
        async for outcome in recover(context):
            context.counters.count_late(outcome)


async def _hold_unanswered(context: RunContext) -> None:
    """What a bug or a torn call of this run left in INTENT is unknown, in the ledger and the books."""
    left = await settle_interrupted(
        context.ledger, context.ledger_path, context.blobs_path, context.backend_name
    )
    for attempt in left:
        context.budget.doubt(attempt.price)


async def _to_do(
    context: RunContext,
    items: AsyncIterator[Item],
    submit: bool,
    recovered: Mapping[str, Outcome],
    reader: Reader,
) -> AsyncIterator[Item]:
    """The items that need a hand; those in place are counted, those that must wait passed over."""
    async for item in items:
        if item.action is Action.REUSE and item.output.job.key not in recovered:
            context.counters.reused += 1
            if context.shared and item.job_state:
                result = item.job_state.result
                publish_if_missing(context, context.shared, reader, item.output.job, result)
        elif item.action is Action.MAKE and not (submit and context.shutdown.submits_allowed):
            continue
        else:
            yield item


async def _perform(context: RunContext, item: Item) -> Outcome | None:
    job, job_state = item.output.job, item.job_state
    if item.action is Action.MAKE:
        return await _adopted(context, job) if context.shared else await make(context, job)
    if item.action is Action.MEND:
        return await isolate_job(context, job, lambda: _restore(context, item))
    if item.action is Action.HOLD_UNKNOWN and job_state and _may_resubmit(context):
        return await make(context, job, instead_of=job_state.attempt_id) or _held(item)
    return _held(item)


async def _adopted(context: RunContext, job: Job) -> Outcome | None:
    """What another machine made of it; bought where none did. None: not started."""
    assert context.shared
    try:
        outcome = await adopt_shared(context, context.shared, job)
    except SharedStoreUnavailable:
        return None
    return outcome or await make(context, job)


def _may_resubmit(context: RunContext) -> bool:
    """`limits.on_unknown: resubmit`: the recipe's owner accepts a second bill, within the cap.

    The old attempt goes on counting as possibly billed.
    """
    wanted = context.limits.on_unknown == "resubmit" and context.budget.cap is not None
    return wanted and context.shutdown.submits_allowed


def _held(item: Item) -> Outcome:
    """What an earlier run left and this one must not touch, said again."""
    job_state = item.job_state
    assert job_state
    kinds = {Action.HOLD_UNKNOWN: FailureKind.UNKNOWN, Action.HOLD_FAILED: FailureKind.BAD_RESULT}
    kind = kinds.get(item.action, FailureKind.PENDING)
    reason = job_state.reason or "not collected yet; the next run goes on"
    failure = Failure(kind, reason, job_state.billed, request_id=job_state.request_id)
    return Outcome(item.output.job, job_state.attempt_id, failure=failure)


async def _restore(context: RunContext, item: Item) -> Outcome:
    """The blob of a finished job is gone or damaged: fetch it again, never buy it again."""
    job_state, job = item.job_state, item.output.job
    assert job_state
    assert job_state.result
    data = await _fetched_again(context, job, job_state.attempt_id, job_state.result)
    if data is None:
        failure = Failure(
            FailureKind.DAMAGED,
            f"the stored result {job_state.result.sha256[:16]} is lost or damaged and cannot be "
            "fetched again; it was paid for and is not bought again by itself. Put the blob back "
            "from a copy, or buy it again with 'relightflow resolve --resubmit'",
            job_state.billed,
        )
        return Outcome(job, job_state.attempt_id, failure=failure)
    await context.blobs.put(data, index_facts(job, job_state.price))
    return Outcome(job, job_state.attempt_id, job_state.result)


async def _fetched_again(
    context: RunContext, job: Job, attempt_id: int, result: Result
) -> bytes | None:
    """The very bytes that were lost; None where nobody has them any more."""
    data: bytes | None
    try:
        data = await asyncio.to_thread(read, context.blobs_path, result.sha256)
    except DamagedError as error:
        if not isinstance(error, MissingBlob):  # out of the way, so that it counts as lost
            await asyncio.to_thread(put_aside, context.blobs_path, result.sha256)
        data = await _from_backend(context, job, attempt_id)
    return data if data and hashlib.sha256(data).hexdigest() == result.sha256 else None


async def _from_backend(context: RunContext, job: Job, attempt_id: int) -> bytes | None:
    backend = await context.backend.get()
    try:
        if context.free:
            call = Call(job, await context.inputs.prepared(job.image))
            step = await backend.submit(call)
            while not isinstance(step, Completed):
                step = await backend.collect(step)
        else:
            with open_reader(context.ledger_path) as reader:
                attempt = reader.attempt(attempt_id)
            if attempt is None or not attempt.url:
                return None
            known = ResultKnown(attempt.request_id, attempt.url, attempt.cost, attempt.details)
            step = await backend.collect(known)
    except CallFailed:
        return None
    return step.data if isinstance(step, Completed) else None
