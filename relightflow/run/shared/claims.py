"""Claims of this run on jobs in the shared store: taken right before INTENT, given up only on evidence.

    permit → claim → INTENT → submit → the claim tells the request id → result published, claim gone

A claim whose attempt this ledger knows is ours, however its process ended. What the ledger does not know is
somebody else's, even if this machine wrote it: a process that is killed between claim and INTENT cannot be
told from a ledger that lost the INTENT.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from relightflow.errors import StorageError
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import Reader, open_reader
from relightflow.model.attempt import OPEN, State
from relightflow.model.claim import JobClaim
from relightflow.model.failure import Billed, Failure
from relightflow.model.job import Job
from relightflow.model.money import Micros, valid_cost
from relightflow.model.reservation import model_id
from relightflow.model.step import Accepted
from relightflow.model.summary import Issue
from relightflow.model.values import FrozenMap
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.run.context import RunContext
from relightflow.run.shared.client import SharedStoreClient
from relightflow.run.shared.reservation import RunReservation
from relightflow.run.shutdown import Shutdown, Stopped
from relightflow.store.costs import StoreCharge
from relightflow.store.index_entry import job_facts

_TRIES = 5
_FRESH = 60.0
"""Seconds after which a claim is read again before its call leaves: this machine may have been suspended."""
_NOTES = "shared-store"
MACHINE = socket.gethostname()[:100]
"""As other machines read it."""


class _Theirs(Exception):
    """Nothing of ours is there."""

    def __init__(self, claim: JobClaim) -> None:
        self.claim = claim
        super().__init__(claim)


class ClaimedElsewhere(Exception):
    """The job is another machine's, or was finished by one."""

    def __init__(self, claim: JobClaim | None) -> None:
        self.claim = claim
        """None: it may be free or finished by now."""
        super().__init__(claim)


@dataclass(frozen=True, slots=True)
class JobClaims:
    context: RunContext
    client: SharedStoreClient
    ledger: Ledger
    shutdown: Shutdown
    least: Micros
    """The lowest price of a call on the list."""
    reservation: RunReservation | None = None
    """None: nothing is reserved in the store, see `run.shared.opening`."""
    machine: str = field(default_factory=lambda: MACHINE)
    _under: dict[str, str] = field(default_factory=dict)
    """Attempt → the reservation under which it is made."""
    _taken: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Attempt → when it was claimed, by both clocks."""
    _unsent: set[str] = field(default_factory=set)
    """Attempts of this run that were given up before INTENT."""
    _releasing: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    """Job key → what takes the claim of such an attempt away; it must not meet the next one's."""

    async def take(
        self, job: Job, uuid: str, details: FrozenMap, instead_of: int | None = None
    ) -> None:
        """Claim `job` for the attempt `uuid`, and see that nobody finished it meanwhile.

        `instead_of`: an attempt of ours in whose place it is made. Raises ClaimedElsewhere; Stopped where
        the store cannot be asked; StorageError where the place is no store; ReservationEnded where its money
        has to be reserved anew. Then nothing of it stays.
        """
        if job.key in self._releasing:
            await asyncio.wait([self._releasing[job.key]])
        self._taken[uuid] = self._now()
        label = job_facts(job, self.context.price_of(job).high)
        if self.reservation:
            self._under[uuid] = self.reservation.id
        claim = self._claim(job, uuid, State.INTENT, details=details)
        try:
            mine = await self._create(label, claim, instead_of)
            if mine and await self._still_to_be_made(label, claim):
                return
        except _Theirs as theirs:
            raise ClaimedElsewhere(theirs.claim) from None
        except BaseException as error:  # the answer may be lost, or come yet
            self.abandon(job, uuid)
            if isinstance(error, ObjectFault):
                stop_buying(self.shutdown, error)
                raise Stopped from error
            raise
        self.abandon(job, uuid)
        raise ClaimedElsewhere(None)

    async def _still_to_be_made(self, label: Mapping[str, Any], claim: JobClaim) -> bool:
        """Whether nobody finished the job before `claim` was there, and its money is still set aside."""
        if self.reservation is None:
            return not await self.client.is_finished(label)
        finished, _ = await asyncio.gather(
            self.client.is_finished(label), self.reservation.check(claim.reservation)
        )
        return not finished

    async def check_free(self, job: Job) -> None:
        """Raises ClaimedElsewhere where another machine has the job or made it; Stopped where the store cannot
        be asked."""
        label = job_facts(job, self.context.price_of(job).high)
        try:
            claim = await self.client.claim_of(label)
            made = claim is None and await self.client.is_finished(label)
        except ObjectFault as error:
            stop_buying(self.shutdown, error)
            raise Stopped from error
        if made or (claim and not self.is_ours(claim)):
            raise ClaimedElsewhere(claim)

    async def reclaim(self, job: Job, uuid: str, details: FrozenMap) -> bool:
        """Whether the job is claimed for `uuid`, an attempt of ours that may have been sent: still, or anew
        where nobody claims it or has finished it. Where the store is only read, nothing is claimed. Raises
        ObjectFault."""
        label = job_facts(job, self.context.price_of(job).high)
        if not self.client.write:
            found = await self.client.claim_of(label)
            free = found is None or found.attempt == uuid or self.is_ours(found)
            return free and not await self.client.is_finished(label)
        try:
            mine = await self._create(
                label, self._claim(job, uuid, State.INTENT, details=details), None
            )
        except _Theirs:
            return False
        return mine and not await self.client.is_finished(label)

    async def _create(self, label: Mapping[str, Any], claim: JobClaim, mine: int | None) -> bool:
        for _ in range(_TRIES):
            created, lost = False, None
            try:
                created = await self.client.create_claim(label, claim)
            except ObjectFault as fault:
                if fault.reason is not Reason.PASSING:
                    raise
                lost = fault  # perhaps only the answer: what is there tells
            if created and self.client.atomic:
                return True
            found = await self.client.claim_of(label)
            if found and found.attempt == claim.attempt:
                return True
            if found and self.is_ours(found, mine):
                return await self._take_over(label, claim, found)
            if found:
                raise _Theirs(found)
            if lost:
                raise lost
        return False

    async def _take_over(self, label: Mapping[str, Any], claim: JobClaim, old: JobClaim) -> bool:
        """Put `claim` in the place of `old`, our own. A copy of this state may be at it too: one of the two gets it.
        The ledger remembers how it is done first, so that a crash in between locks nobody out."""
        note = f"takeover {old.attempt}"
        with open_reader(self.ledger.path) as reader:
            token = reader.recall(_NOTES, note)
        if token is None:
            token = claim.attempt
            await self.ledger.remember(_NOTES, note, token)
        made = await self.client.take_over(label, claim, old, token)
        await self.ledger.remember(_NOTES, note, None)
        return made

    def is_ours(self, claim: JobClaim, mine: int | None = None) -> bool:
        """Whether an attempt of this state, by now closed or the one with the number `mine`, left it."""
        if claim.attempt in self._unsent:
            return True
        with open_reader(self.ledger.path) as reader:
            return is_own(claim, reader, mine)

    async def check_held(self, job: Job, uuid: str) -> None:
        """Raises ClaimedElsewhere where the claim is no longer that of `uuid`; asked again only where much
        time has passed since it was taken, as when the machine was suspended. Raises Stopped where it cannot be."""
        begun, now = self._taken.pop(uuid), self._now()
        if max(later - earlier for earlier, later in zip(begun, now, strict=True)) < _FRESH:
            return
        try:
            found = await self.client.claim_of(job_facts(job, self.context.price_of(job).high))
        except ObjectFault as error:
            stop_buying(self.shutdown, error)
            raise Stopped from error
        if found is None or found.attempt != uuid:
            raise ClaimedElsewhere(found)

    def abandon(self, job: Job, uuid: str) -> None:
        """The attempt ends before INTENT: its claim goes, behind the run's back. Where it cannot be taken
        away, the ledger remembers that nothing was sent under it."""
        self._unsent.add(uuid)
        self._taken.pop(uuid, None)
        self._under.pop(uuid, None)
        label = job_facts(job, self.context.price_of(job).high)

        async def give_up() -> None:
            with suppress(StorageError, RuntimeError):  # the ledger is closed: the run was torn
                await self.ledger.remember(_NOTES, _unsent(uuid), "1")
                if await self.client.release(label, uuid):
                    await self.ledger.remember(_NOTES, _unsent(uuid), None)

        task = self._releasing[job.key] = self.client.spawn(give_up())
        task.add_done_callback(lambda _: self._releasing.pop(job.key, None))

    async def accepted(self, job: Job, uuid: str, step: Accepted) -> None:
        """The claim tells the request id, before it is polled; failing to is no failure of the job."""
        claim = self._claim(job, uuid, State.ACCEPTED, details=step.details)
        await self.client.tell_claim(
            job_facts(job, self.context.price_of(job).high),
            replace(claim, request_id=step.request_id),
        )

    async def ended(self, job: Job, uuid: str, state: State, failure: Failure) -> None:
        """The attempt ended without an image. What was certainly not billed is free for everybody; what was,
        or may have been, is told to those who want the job."""
        label = job_facts(job, self.context.price_of(job).high)
        if failure.billed is Billed.NO:
            await self.client.release(label, uuid)
            return
        told = State.UNKNOWN if state is State.UNKNOWN else State.FAILED
        cost = valid_cost(failure.cost)
        if failure.billed is Billed.YES and state is not State.UNKNOWN:
            at, recipe = self.context.clock.wall(), self.context.recipe
            most = self.context.price_of(job).high
            charge = self.charge(job, uuid, at, most if cost is None else cost, recipe)
            await self.client.tell_cost(label, charge)
        claim = self._claim(job, uuid, told, reason=failure.message, cost=cost)
        await self.client.tell_claim(label, replace(claim, request_id=failure.request_id))

    def charge(
        self, job: Job, uuid: str, at: float, cost: Micros, recipe: str, run: str = ""
    ) -> StoreCharge:
        """What a call of this machine cost, for all machines. `at`: Unix seconds; `run`: that made it, if not
        this one."""
        recipe = recipe or self.context.recipe
        return StoreCharge(
            recipe, int(at), job.key, uuid, cost, min(self.least, self.context.price_of(job).low),
            self._under.get(uuid, ""), run or self.context.run_id, self.machine,
            model_id(job.backend, job.model),
        )  # fmt: skip

    def _claim(self, job: Job, uuid: str, state: State, **facts: Any) -> JobClaim:
        context = self.context
        return JobClaim(
            key=job.key, state=state, attempt=uuid, run=context.run_id, machine=self.machine,
            at=context.clock.wall(), price=context.price_of(job).high, recipe=context.recipe,
            reservation=self._under.get(uuid, ""), model=model_id(job.backend, job.model), **facts,
        )  # fmt: skip

    def _now(self) -> tuple[float, float]:
        return self.context.clock.monotonic(), self.context.clock.wall()


def stop_buying(shutdown: Shutdown, fault: ObjectFault) -> None:
    """What cannot be asked for may have been bought already."""
    said = fault.as_error
    words = (
        f"the shared store could not be used, so nothing more was bought: {said}. Use --store-mode off "
        "to run without it"
    )
    shutdown.whole.stop_new(Issue(said.exit_code, words))


def is_own(claim: JobClaim, reader: Reader, mine: int | None = None) -> bool:
    """Whether an attempt of the ledger left the claim that was closed, never sent, or is number `mine`."""
    if not claim.attempt:
        return False
    attempt = reader.attempt_named(claim.attempt)
    if attempt is None:
        return reader.recall(_NOTES, _unsent(claim.attempt)) is not None
    return attempt.job_key == claim.key and (attempt.state not in OPEN or attempt.id == mine)


def _unsent(attempt: str) -> str:
    return f"unsent {attempt}"
