"""The log of paid calls in the blob store's index: enough to recreate a lost ledger.

One line when a call leaves, one for each step, one when it ends without an image; an image's own line
is written with its blob. Free backends leave none: what they made can be made again. Other machines
are told of calls under way by their claims in the shared store.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from relightflow.errors import StorageError
from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.failure import Billed, Failure
from relightflow.model.job import Job
from relightflow.model.money import valid_cost
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown
from relightflow.model.values import FrozenMap
from relightflow.run.context import RunContext
from relightflow.run.shared.claims import JobClaims
from relightflow.store.blobs import BlobStore
from relightflow.store.index_entry import attempt_facts, job_facts


@dataclass(frozen=True, slots=True)
class CallLog:
    context: RunContext
    blobs: BlobStore
    claims: JobClaims | None = None
    """None: there is no shared store, it is not written to, or it is not for what is free."""

    def intent(self, job: Job, uuid: str, details: object) -> None:
        """The call is about to leave. Raises StorageError where that cannot be written."""
        if not self.context.free:
            self.blobs.note(
                {
                    **job_facts(job, self.context.price_of(job).high),
                    **self.origin(uuid),
                    "event": State.INTENT,
                    "details": details,
                    "at": self.context.clock.wall(),
                }
            )

    def origin(self, uuid: str) -> dict[str, Any]:
        """Which attempt an entry is about, and who made it."""
        context = self.context
        return attempt_facts(uuid, context.run_id, context.recipe, context.plan_sha256)

    async def step(self, job: Job, uuid: str, step: Accepted | ResultKnown | PaidUnfetched) -> None:
        """How far the call came. The result's URL is a secret and stays in the ledger; the request
        id finds it again."""
        accepted = isinstance(step, Accepted)
        self._note(
            {
                **job_facts(job, self.context.price_of(job).high),
                **attempt_facts(uuid),
                "event": State.ACCEPTED if accepted else State.PAID_UNFETCHED,
                "request_id": step.request_id,
                "cost": None if isinstance(step, Accepted) else valid_cost(step.cost),
                "details": step.details,
            }
        )
        if self.claims and isinstance(step, Accepted):
            await self.claims.accepted(job, uuid, step)

    def takeover(self, job: Job, uuid: str, step: Accepted, at: float) -> None:
        """A call that another machine made at `at` (Unix seconds) and this one collects."""
        facts = {"request_id": step.request_id, "details": step.details, "at": at}
        job_and_run = {**job_facts(job, self.context.price_of(job).high), **self.origin(uuid)}
        self._note({**job_and_run, "event": State.ACCEPTED, **facts})

    def held(self, job: Job, claim: JobClaim, state: State, details: FrozenMap) -> None:
        """A call of another machine that has no image, or none yet: UNKNOWN or FAILED."""
        facts = {
            "billed": Billed.YES if state is State.FAILED else Billed.UNKNOWN,
            "reason": claim.reason,
            "cost": claim.cost,
            "details": details,
            "at": claim.at,
        }
        job_and_run = {**job_facts(job, claim.price), **self.origin(claim.attempt)}
        self._note({**job_and_run, "event": state, **facts})

    async def end(self, job: Job, uuid: str, state: State, failure: Failure) -> None:
        """The call ended without an image."""
        self._note(
            {
                **job_facts(job, self.context.price_of(job).high),
                **attempt_facts(uuid),
                "event": state,
                "billed": failure.billed,
                "kind": failure.kind,
                "reason": failure.message,
                "cost": valid_cost(failure.cost),
            }
        )
        if self.claims:
            await self.claims.ended(job, uuid, state, failure)

    def _note(self, entry: Mapping[str, Any]) -> None:
        """A line that cannot be written stops nothing: the ledger has the fact already, or the run stops because
        the ledger could not be written either."""
        if not self.context.free:
            with suppress(StorageError):
                self.blobs.note(entry)
