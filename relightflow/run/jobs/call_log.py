"""The log of paid calls in the blob store's index: enough to recreate a lost ledger.

One line when a call leaves, one for each step, one when it ends without an image; an image's own line
is written with its blob. Free backends leave none: what they made can be made again. Other machines
are told of calls under way through the shared store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relightflow.model.attempt import State
from relightflow.model.failure import Failure
from relightflow.model.job import Job
from relightflow.model.money import valid_cost
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown
from relightflow.run.context import RunContext
from relightflow.run.shared.client import SharedStoreClient
from relightflow.store.blobs import BlobStore
from relightflow.store.index_entry import job_facts


@dataclass(frozen=True, slots=True)
class CallLog:
    context: RunContext
    blobs: BlobStore
    shared: SharedStoreClient | None = None
    """None: there is no shared store, or it is not for what is free."""

    def intent(self, job: Job, details: object) -> None:
        """The call is about to leave."""
        facts = {"event": State.INTENT, "details": details, "at": self.context.clock.wall()}
        self._note({**job_facts(job, self.context.price), **facts})

    async def step(self, job: Job, step: Accepted | ResultKnown | PaidUnfetched) -> None:
        """How far the call came. The result's URL is a secret and stays in the ledger; the request
        id finds it again."""
        accepted = isinstance(step, Accepted)
        self._note(
            {
                "key": job.key,
                "event": State.ACCEPTED if accepted else State.PAID_UNFETCHED,
                "request_id": step.request_id,
                "cost": None if isinstance(step, Accepted) else valid_cost(step.cost),
                "details": step.details,
            }
        )
        if self.shared and isinstance(step, Accepted):
            facts = job_facts(job, self.context.price)
            await self.shared.announce(facts, step, self.context.clock.wall())

    def takeover(self, job: Job, step: Accepted, at: float) -> None:
        """A call that another machine made at `at` (Unix seconds) and this one collects."""
        facts = {"request_id": step.request_id, "details": step.details, "at": at}
        self._note({**job_facts(job, self.context.price), "event": State.ACCEPTED, **facts})

    def end(self, job: Job, state: State, failure: Failure) -> None:
        """The call ended without an image."""
        self._note(
            {
                "key": job.key,
                "event": state,
                "billed": failure.billed,
                "kind": failure.kind,
                "reason": failure.message,
                "cost": valid_cost(failure.cost),
            }
        )
        if self.shared and state is not State.UNKNOWN:
            self.shared.retract(job.key)

    def _note(self, entry: Mapping[str, Any]) -> None:
        if not self.context.free:
            self.blobs.note(entry)
