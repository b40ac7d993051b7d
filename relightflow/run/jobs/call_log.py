"""The trail of calls in the blob store's index: enough to make a lost ledger anew.

One line when a call leaves, one for each step, one when it ends without an image; the image's own
line is the blob's label. Free backends leave none: what they made can be made again.
"""

from __future__ import annotations

from relightflow.model.attempt import State
from relightflow.model.failure import Failure
from relightflow.model.job import Job
from relightflow.model.money import valid_cost
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown
from relightflow.run.context import RunContext, index_facts


def log_intent(context: RunContext, job: Job, details: object) -> None:
    if not context.free:
        context.blobs.note(
            {
                **index_facts(job, context.price),
                "event": State.INTENT,
                "details": details,
                "at": context.clock.wall(),
            }
        )


def log_step(context: RunContext, job: Job, step: Accepted | ResultKnown | PaidUnfetched) -> None:
    """The result's URL is a secret and stays in the ledger; the request id finds it again."""
    if not context.free:
        state = State.ACCEPTED if isinstance(step, Accepted) else State.PAID_UNFETCHED
        cost = None if isinstance(step, Accepted) else valid_cost(step.cost)
        context.blobs.note(
            {
                "key": job.key,
                "event": state,
                "request_id": step.request_id,
                "cost": cost,
                "details": step.details,
            }
        )


def log_takeover(context: RunContext, job: Job, step: Accepted, at: float) -> None:
    """A call that another machine made and this one collects."""
    context.blobs.note(
        {
            **index_facts(job, context.price),
            "event": State.ACCEPTED,
            "request_id": step.request_id,
            "details": step.details,
            "at": at,
        }
    )


def log_end(context: RunContext, job: Job, state: State, failure: Failure) -> None:
    if not context.free:
        context.blobs.note(
            {
                "key": job.key,
                "event": state,
                "billed": failure.billed,
                "kind": failure.kind,
                "reason": failure.message,
                "cost": valid_cost(failure.cost),
            }
        )
        if context.shared and state is not State.UNKNOWN:
            context.shared.retract(job.key)
