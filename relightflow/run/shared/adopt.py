"""Takes over what other machines finished or have in the air, before anything is bought."""

from __future__ import annotations

from functools import partial

from relightflow.errors import StorageError
from relightflow.ledger.reader import Reader, open_reader
from relightflow.ledger.rows import Restored
from relightflow.model.attempt import State
from relightflow.model.failure import Billed
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome, Result
from relightflow.model.step import Accepted
from relightflow.model.summary import Issue
from relightflow.model.values import FrozenMap
from relightflow.objects.faults import ObjectFault
from relightflow.run.context import RunContext, index_facts
from relightflow.run.jobs import call_log
from relightflow.run.jobs.active_attempt import storage_failed
from relightflow.run.jobs.collect import resume
from relightflow.run.shared.client import SharedStoreClient
from relightflow.store.blobs import read

ORIGIN = "shared"
"""`details.origin` of an attempt that another machine made."""


class SharedStoreUnavailable(Exception):
    """The shared store did not answer, so nothing may be bought."""


async def adopt_shared(context: RunContext, shared: SharedStoreClient, job: Job) -> Outcome | None:
    """What another machine made of `job`, or has in the air; None: nothing. Raises SharedStoreUnavailable."""
    facts = index_facts(job, context.price)
    try:
        found = await shared.finished(facts)
        if found:
            return await _keep(context, job, *found)
        flying = await shared.accepted(facts)
    except ObjectFault as error:
        said = error.as_error
        context.shutdown.stop_new(
            Issue(
                said.exit_code,
                f"the shared store could not be asked, so nothing more was bought: {said}. With "
                "--store-mode off a run goes on without it",
            )
        )
        raise SharedStoreUnavailable from error
    except StorageError as error:
        return storage_failed(context, job, error)
    return await _collect(context, job, *flying) if flying else None


async def _keep(context: RunContext, job: Job, result: Result, data: bytes) -> Outcome:
    """Into the local store first, then into the ledger; not billed here, its cost is known."""
    image = {
        "cost": result.cost,
        "billed": Billed.NO,
        "request_id": result.request_id,
        "size": result.size,
        "width": result.width,
        "height": result.height,
        "media_type": result.media_type,
        "details": result.details,
    }
    await context.blobs.put(data, {**index_facts(job, context.price), **image})
    attempt = await _noted(context, job, State.STORED, Billed.NO, result=result)
    return Outcome(job, attempt, result)


async def _collect(context: RunContext, job: Job, step: Accepted, at: float) -> Outcome | None:
    """Go on with another machine's call, as with one of an earlier run."""
    number = await _noted(context, job, State.ACCEPTED, Billed.UNKNOWN, step=step)
    context.budget.adopt(context.price)
    call_log.log_takeover(context, job, step, at)
    with open_reader(context.ledger_path) as reader:
        attempt = reader.attempt(number)
    assert attempt
    return await resume(context, job, attempt, step, max(0.0, context.clock.wall() - at))


async def _noted(
    context: RunContext,
    job: Job,
    state: State,
    billed: Billed,
    result: Result | None = None,
    step: Accepted | None = None,
) -> int:
    """A row of the ledger for what another machine did; its id."""
    source = result or step
    assert source
    row = Restored(
        job_key=job.key,
        run_id=context.run_id,
        state=state,
        billed=billed,
        backend=job.backend,
        model=job.model,
        image_sha256=job.image.sha256,
        parameters=job.parameters,
        repeat=job.repeat,
        price=context.price,
        cost=result.cost if result else None,
        request_id=source.request_id,
        blob=result.sha256 if result else "",
        size=result.size if result else 0,
        width=result.width if result else 0,
        height=result.height if result else 0,
        media_type=result.media_type if result else "",
        kind=None,
        reason="",
        details=FrozenMap({**source.details, **({"origin": ORIGIN} if result else {})}),
    )
    return await context.ledger.restore(row)


def publish(context: RunContext, shared: SharedStoreClient, job: Job, result: Result) -> None:
    """Tell the store of a result that is in the local store."""
    entry = {
        **index_facts(job, context.price),
        "cost": result.cost,
        "request_id": result.request_id,
        "size": result.size,
        "width": result.width,
        "height": result.height,
        "media_type": result.media_type,
        "details": {k: v for k, v in result.details.items() if k != "origin"},
    }
    shared.publish(entry, partial(read, context.blobs_path, result.sha256), context.ledger.remember)


def publish_if_missing(
    context: RunContext, shared: SharedStoreClient, reader: Reader, job: Job, result: Result | None
) -> None:
    """What an earlier run could not tell is told now."""
    if result and shared.write and not shared.is_published(reader, job.key):
        publish(context, shared, job, result)
