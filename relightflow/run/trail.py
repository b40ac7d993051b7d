"""The trail of calls in the blob store's index: enough to make a lost ledger anew.

One line when a call leaves, one for each step, one when it ends without a picture; the picture's own
line is the blob's label. Free backends leave none: what they made can be made again.
"""

from __future__ import annotations

from relightflow.model.attempt import State
from relightflow.model.failure import Failure
from relightflow.model.job import Job
from relightflow.model.money import believed
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown
from relightflow.run.bench import Bench, label


def intended(bench: Bench, job: Job, details: object) -> None:
    if not bench.free:
        bench.blobs.note(
            {
                **label(job, bench.price),
                "event": State.INTENT,
                "details": details,
                "at": bench.clock.wall(),
            }
        )


def advanced(bench: Bench, job: Job, step: Accepted | ResultKnown | PaidUnfetched) -> None:
    """The result's URL is a secret and stays in the ledger; the request id finds it again."""
    if not bench.free:
        state = State.ACCEPTED if isinstance(step, Accepted) else State.PAID_UNFETCHED
        cost = None if isinstance(step, Accepted) else believed(step.cost)
        bench.blobs.note(
            {
                "key": job.key,
                "event": state,
                "request_id": step.request_id,
                "cost": cost,
                "details": step.details,
            }
        )


def taken_over(bench: Bench, job: Job, step: Accepted, at: float) -> None:
    """A call that another machine made and this one collects."""
    bench.blobs.note(
        {
            **label(job, bench.price),
            "event": State.ACCEPTED,
            "request_id": step.request_id,
            "details": step.details,
            "at": at,
        }
    )


def ended(bench: Bench, job: Job, state: State, failure: Failure) -> None:
    if not bench.free:
        bench.blobs.note(
            {
                "key": job.key,
                "event": state,
                "billed": failure.billed,
                "kind": failure.kind,
                "reason": failure.message,
                "cost": believed(failure.cost),
            }
        )
        if bench.shared and state is not State.UNKNOWN:
            bench.shared.retract(job.key)
