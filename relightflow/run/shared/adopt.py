"""Takes over what other machines finished or had in flight, before anything is bought.

What another machine finished is adopted: its bytes go into the local store, and no money is booked. What
another machine has claimed is its own, for as long as its call may take. Then a call with a request id is
collected, and booked as spent here, because nobody else may live to do it; and one without is an unknown
outcome, here too: the provider's records or a person settle it, and time alone never frees it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from relightflow.errors import StorageError
from relightflow.ledger.ledger import DuplicateAttempt, DuplicateRequest, Ledger
from relightflow.ledger.reader import Reader, open_reader
from relightflow.ledger.rows import Restored
from relightflow.model.attempt import Attempt, State
from relightflow.model.claim import JobClaim
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.money import Micros
from relightflow.model.outcome import Outcome, Result
from relightflow.model.step import Accepted
from relightflow.model.summary import Issue
from relightflow.model.values import FrozenMap
from relightflow.objects.faults import ObjectFault
from relightflow.run.context import RunContext
from relightflow.run.jobs.active_attempt import AttemptRecorder
from relightflow.run.jobs.collect import Collector
from relightflow.run.jobs.resend import job_of
from relightflow.run.shared.claims import ClaimedElsewhere, JobClaims, stop_buying
from relightflow.run.shared.client import SharedStoreClient
from relightflow.run.shutdown import Stopped
from relightflow.store.blobs import BlobStore, read
from relightflow.store.entries import DamagedEntry
from relightflow.store.index_entry import attempt_facts, job_facts, result_facts

_NAMED = 3
ORIGIN = "shared"
"""`details.origin` of an attempt that another machine made."""


@dataclass(frozen=True, slots=True)
class SharedResults:
    """Results and calls under way that other machines put into the shared store, and ours for them."""

    context: RunContext
    client: SharedStoreClient
    ledger: Ledger
    blobs: BlobStore
    blobs_path: Path
    collector: Collector
    recorder: AttemptRecorder
    claims: JobClaims
    patience: float
    """Seconds for which another machine's claim is left to it."""
    reserved: dict[str, tuple[int, Micros]] = field(default_factory=dict)
    """Job key → what the budget has set aside for another machine's call; see `StoreSpending.claimed`."""
    _seen: dict[str, tuple[JobClaim | None, float]] = field(default_factory=dict)
    """Job key → the claim of another machine, and since when it has stood there unchanged."""

    async def adopt(self, job: Job) -> Outcome | None:
        """What another machine made of `job`; None: nothing, and nobody has claimed it.

        Raises ClaimedElsewhere; Stopped where the store cannot be asked: nothing is bought then.
        """
        facts = job_facts(job, self.context.price_of(job).high)
        try:
            found = await self.client.finished(facts)
            if found:
                return await self._keep(job, *found)
            claim = await self.client.claim_of(facts)
        except ObjectFault as error:
            stop_buying(self.recorder.shutdown, error)
            raise Stopped from error
        except StorageError as error:
            return self.recorder.storage_failed(job, error, Billed.NO)
        except DamagedEntry:
            return Outcome(job, failure=self._damaged(job))
        if claim and not self.claims.is_ours(claim):
            raise ClaimedElsewhere(claim)
        return None

    async def of_claim(self, job: Job, claim: JobClaim | None) -> Outcome | None:
        """What becomes of a job that another machine has claimed; None: ask again later."""
        if not (claim and claim.state in _ENDED) and not self._is_overdue(job, claim):
            return None
        if claim is None:
            return self.left(job, claim)
        try:
            if claim.state is State.ACCEPTED:
                return await self._collect(job, claim)
            return await self._hold(job, claim)
        except StorageError as error:
            return self.recorder.storage_failed(job, error)
        except DuplicateAttempt:  # an entry that was planted: it names an attempt of another job
            return self.left(job, claim)

    def say_waiting(self, claims: Sequence[JobClaim | None]) -> None:
        """Whose jobs the run waits for."""
        names = sorted({claim.machine or "another machine" for claim in claims if claim})
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        jobs = "1 job is" if len(claims) == 1 else f"{len(claims):,} jobs are"
        self.client.notice(
            f"{jobs} claimed in the shared store by {', '.join(names[:_NAMED])}{more}; left to it for "
            f"{self.patience:.0f} s"
        )

    def left(self, job: Job, claim: JobClaim | None) -> Outcome:
        """The job is another machine's, and the run ends before that one is done with it."""
        failure = Failure(FailureKind.PENDING, f"{_who(claim)}; nothing was bought here", Billed.NO)
        return Outcome(job, failure=failure)

    def _damaged(self, job: Job) -> Failure:
        words = (
            f"the shared store has a result that makes no sense or does not match its hash, jobs/{job.key[:2]}/"
            f"{job.key}.json; it was paid for, so nothing was bought. 'relightflow verify --store' lists such "
            "results; delete that object to buy the job again"
        )
        return Failure(FailureKind.DAMAGED, words, Billed.NO)

    def _is_overdue(self, job: Job, claim: JobClaim | None) -> bool:
        """Whether its owner has had all the time that a call takes since we saw it. What was accepted can be
        collected twice without harm, so there its age by both machines' clocks will do, right or wrong."""
        clock = self.context.clock
        before, since = self._seen.get(job.key, (None, clock.monotonic()))
        if before != claim or job.key not in self._seen:
            since = clock.monotonic()
            self._seen[job.key] = (claim, since)
        waited = clock.monotonic() - since
        if claim and claim.state is State.ACCEPTED:
            waited = max(waited, clock.wall() - claim.at)
        return waited >= self.patience

    def publish_if_missing(
        self, reader: Reader, job: Job, number: int, result: Result | None
    ) -> None:
        """Publish what is in the local store, unless the shared one was told of it already. `number`: of the
        attempt that made it."""
        if result and self.client.write and not self.client.is_published(reader, job.key):
            kept = {k: v for k, v in result.details.items() if k != "origin"}
            facts = {**result_facts(result, result.cost), "details": kept}
            attempt = reader.attempt(number)
            charge = None
            if attempt and "origin" not in result.details:
                facts |= attempt_facts(attempt.uuid)
                recipe = reader.recipe_of_run(attempt.run_id)
                charge = self.claims.charge(
                    job, attempt.uuid, attempt.created, result.cost, recipe, attempt.run_id
                )
            self.client.publish(
                {**job_facts(job, self.context.price_of(job).high), **facts},
                partial(read, self.blobs_path, result.sha256),
                self.ledger.remember,
                charge,
            )

    async def _keep(self, job: Job, result: Result, data: bytes) -> Outcome:
        """Into the local store first, then into the ledger; not billed here, its cost is known."""
        uuid = uuid4().hex
        if job.key in self.reserved:
            number, price = self.reserved.pop(job.key)
            self.recorder.budget.settle(price, result.cost, number, here=False)
        label = {
            **job_facts(job, self.context.price_of(job).high),
            **self.recorder.call_log.origin(uuid),
        }
        facts = {**result_facts(result, result.cost), "billed": Billed.NO}
        await self.blobs.put(data, {**label, **facts})
        attempt = await self._restore(job, State.STORED, Billed.NO, uuid, _of_result(result))
        await self.client.note_published(job.key, self.ledger.remember)
        return Outcome(job, attempt, result)

    async def _collect(self, job: Job, claim: JobClaim) -> Outcome | None:
        """Go on with another machine's call, as with one of an earlier run."""
        uuid = claim.attempt or uuid4().hex
        step = Accepted(claim.request_id, claim.details)
        facts = {"request_id": step.request_id, "details": step.details}
        number = await self._restore(job, State.ACCEPTED, Billed.UNKNOWN, uuid, facts)
        self._reserve(job, claim)
        self.recorder.call_log.takeover(job, uuid, step, claim.at)
        with open_reader(self.ledger.path) as reader:
            attempt = reader.attempt(number)
        assert attempt
        age = max(0.0, self.context.clock.wall() - claim.at)
        return await self.collector.resume(job, attempt, step, age)

    async def _hold(self, job: Job, claim: JobClaim) -> Outcome:
        """A call without a result, of a machine that says so or says nothing: held, as one of our own."""
        failed = claim.state is State.FAILED
        billed = Billed.YES if failed else Billed.UNKNOWN
        state = State.FAILED if failed else State.UNKNOWN
        kind = FailureKind.BAD_RESULT if failed else FailureKind.UNKNOWN
        reason = f"{_who(claim)}{': ' + claim.reason if claim.reason else ''}"
        details = FrozenMap({**claim.details, "origin": ORIGIN})
        facts = {"details": details, "reason": reason, "kind": kind, "cost": claim.cost}
        number = await self._restore(
            job, state, billed, claim.attempt, facts | {"request_id": claim.request_id}
        )
        budget = self.recorder.budget
        self._reserve(job, claim)
        if failed:
            budget.settle(self.context.price_of(job).high, claim.cost)
        else:
            budget.hold(self.context.price_of(job).high)
        self.recorder.call_log.held(job, claim, state, details)
        failure = Failure(kind, reason, billed, cost=claim.cost)
        return Outcome(job, number, failure=failure)

    async def rest(self) -> None:
        """Nothing is bought for a while."""
        if self.claims.reservation:
            try:
                await self.claims.reservation.rest()
            except ObjectFault as error:
                stop_buying(self.recorder.shutdown, error)
            except StorageError as error:
                self.recorder.shutdown.drain(Issue(error.exit_code, str(error)))

    def _reserve(self, job: Job, claim: JobClaim) -> None:
        """A call of another machine is ours to collect or to hold from now on."""
        number, price = self.reserved.pop(job.key, (0, 0))
        if number:
            self.recorder.budget.release(price, number)
        elif self.claims.reservation:
            self.claims.reservation.take_over(claim, self.claims.least)
        self.recorder.budget.adopt(self.context.price_of(job).high)

    async def settle(self) -> None:
        """What the store knows by now of the ledger's unknown attempts, of whichever machine."""
        with open_reader(self.ledger.path) as reader:
            doubts = [a for a in reader.unknown_attempts(self.context.backend) if a.uuid]
        for attempt in doubts:
            try:
                await self._settle(attempt)
            except ObjectFault as error:
                stop_buying(self.recorder.shutdown, error)
                return
            except DuplicateRequest:  # another job's request: nothing is known of this one by that
                continue

    async def _settle(self, attempt: Attempt) -> None:
        job, budget = job_of(attempt), self.recorder.budget
        label = job_facts(job, attempt.price)
        try:
            found = await self.client.finished(label, attempt.uuid)
        except DamagedEntry:
            found = None
        if found is None:
            claim = await self.client.claim_of(label)
            if claim and claim.attempt == attempt.uuid and claim.state is State.ACCEPTED:
                await self.ledger.advance(attempt.id, Accepted(claim.request_id, claim.details))
                budget.resume(attempt.price, attempt.id)  # it was taken: collected like any other
            return
        result, data = found
        if attempt.details.get("origin") != ORIGIN:
            await self.ledger.advance(attempt.id, Accepted(result.request_id))
        budget.resume(attempt.price, attempt.id)
        if attempt.details.get("origin") == ORIGIN:
            budget.settle(attempt.price, result.cost, attempt.id, here=False)
            words = "another machine made it, and put the result into the shared store"
            unbilled = Failure(FailureKind.JOB_FAILED, words, Billed.NO)
            await self.ledger.close_attempt(attempt.id, State.READY, unbilled)
            await self._keep(job, result, data)
            return
        self.recorder.book(attempt.price, result.cost, attempt.id)
        label |= self.recorder.call_log.origin(attempt.uuid)
        await self.blobs.put(data, {**label, **result_facts(result, result.cost)})
        await self.ledger.stored(attempt.id, result, result.cost)

    async def _restore(
        self, job: Job, state: State, billed: Billed, uuid: str, facts: Mapping[str, Any]
    ) -> int:
        """A row of the ledger for what another machine did; its id."""
        row = Restored(
            job_key=job.key,
            run_id=self.context.run_id,
            state=state,
            billed=billed,
            backend=job.backend,
            model=job.model,
            image_sha256=job.image.sha256,
            parameters=job.parameters,
            repeat=job.repeat,
            price=self.context.price_of(job).high,
            uuid=uuid,
            **facts,
        )
        return await self.ledger.restore(row)


_ENDED = (State.UNKNOWN, State.FAILED)
"""As its owner says: there is nothing to wait for."""


def _who(claim: JobClaim | None) -> str:
    """Whose the job is, in words."""
    if claim is None:
        return (
            "a copy of this state takes its claim over, or what the shared store has in the place of a "
            "claim makes no sense"
        )
    at = datetime.fromtimestamp(claim.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    run = f" (run {claim.run})" if claim.run else ""
    said = {
        State.INTENT: "and has not told what came of it",
        State.ACCEPTED: f"and waits for request {claim.request_id}",
        State.UNKNOWN: "and does not know what came of it",
        State.FAILED: "and paid for it, without an image",
    }[claim.state]
    return f"{claim.machine or 'another machine'}{run} claimed it at {at} {said}"


def _of_result(result: Result) -> dict[str, Any]:
    """A result's facts, as the ledger names them."""
    details = FrozenMap({**result.details, "origin": ORIGIN})
    return {**result_facts(result, result.cost), "blob": result.sha256, "details": details}
