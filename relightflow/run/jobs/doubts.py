"""Settles calls whose outcome is unknown, in the way that their backend has declared.

By key: the same call is sent again under its own name (`resend`), which the provider bills once. By
lookup: the provider's own records are read, free of charge. What is proven is written into the ledger
and the budget; what is not stays held, together with the reason and with what would settle it.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from dataclasses import dataclass, replace

from relightflow.core.bounded_map import bounded_map
from relightflow.ledger.ledger import DuplicateRequest, Ledger
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import Evidence, Needs, Undecided, undecided
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.money import Micros
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.plugins.backend import (
    UNSETTLED,
    Backend,
    HasLookUp,
    RecordsQuery,
    Retry,
    Settlement,
)
from relightflow.run.clock import Clock
from relightflow.run.jobs.resend import Resender, job_of
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.budget import Budget
from relightflow.run.shared.claims import JobClaims

_RECORDS_LAG_SECONDS = 600.0
"""Seconds after which the provider's records are taken to show a call, if they show later ones. How
much they lag is nowhere documented; too long costs a wait, too short a second bill."""
_FIRST_LOOK = 2.0
"""Seconds before the second look; the pauses double from there."""
_WIDTH = 8
"""Calls that are sent again at a time."""
_LOOKS_APART = 60.0
"""Seconds between two looks, at most: a call that was taken shows up long before its absence is proven."""
_NOT_SENT = "a call whose answer was lost is sent again under its name, which only a run does"
ABSENT = "the provider's records prove that the call was never accepted; nothing was billed"
_ANOTHERS = Undecided(Needs.PERSON, "the provider answered with another job's request id")


@dataclass(frozen=True, slots=True)
class DoubtsSettled:
    """What became of unknown attempts."""

    adopted: int = 0
    failed: int = 0
    absent: int = 0
    undecided: tuple[Undecided, ...] = ()
    """As of the last look, like `now`."""
    now: float | None = None
    """The provider's Unix seconds; None: not told."""

    def __add__(self, later: DoubtsSettled) -> DoubtsSettled:
        return DoubtsSettled(
            self.adopted + later.adopted,
            self.failed + later.failed,
            self.absent + later.absent,
            later.undecided,
            later.now,
        )

    @property
    def wait(self) -> float | None:
        """Seconds until the records can settle the first that only needs time; inf: nobody can say;
        None: nothing waits for time alone."""
        needs_time = [found for found in self.undecided if found.needs is Needs.TIME]
        if not needs_time:
            return None
        times = [found.at for found in needs_time if found.at is not None]
        if not times or self.now is None:
            return math.inf
        return max(0.0, min(times) - self.now)


@dataclass(frozen=True, slots=True)
class DoubtSettler:
    """Looks the doubts of one backend up. `name`: the backend's, as the ledger has it."""

    backend: LazyBackend
    name: str
    ledger: Ledger
    budget: Budget
    retry: Callable[[], Retry]
    """A new patience for every look."""
    notice: Callable[[str], None]
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    """Around the look; raises `Stopped` where the run is shut down meanwhile."""
    settlement: Settlement = UNSETTLED
    """The backend's."""
    resender: Resender | None = None
    """None: nothing may be sent, because nothing may be bought."""
    claims: JobClaims | None = None
    """None: no other machine waits for the job."""
    book: Callable[[Micros, float | None, int], object] | None = None
    """Books what a call cost: its reserved price, its cost, its attempt. None: the budget does."""
    mine: Callable[[Attempt], bool] = lambda _: True
    """Which doubts of the backend it settles: of a run with several models each settles its own."""

    async def settle(self, every: bool = True) -> DoubtsSettled:
        """Without evidence attempts stay unknown. `every` False: leaves out those that the last look
        gave to a person to decide.

        Raises `Stopped` where the run is shut down meanwhile.
        """
        query = self._query(every)
        if query is None:
            return DoubtsSettled()
        real = await self.backend.get()
        settled = DoubtsSettled()
        nobody = Undecided(Needs.PERSON, "")  # without a key nothing is sent again
        left = {attempt.id: (attempt, nobody) for attempt in query.doubts}
        if self.settlement.by == "key":
            settled, left = await self._resent(real, query.doubts)
            if not left:
                return settled
        if not isinstance(real, HasLookUp):
            return settled + await self._without_records(left.values())
        query = replace(query, doubts=tuple(attempt for attempt, _ in left.values()))
        try:
            with self.waiting():
                evidence = await real.look_up(query, self.retry())
        except CallFailed as error:
            return settled + await self._unreadable(query.doubts, error.failure)
        told = [(number, _hopeful(left[number][1], found)) for number, found in evidence.undecided]
        evidence = replace(evidence, undecided=tuple(told))
        return settled + await self._write_down(query.doubts, evidence)

    async def _resent(
        self, backend: Backend, doubts: Sequence[Attempt]
    ) -> tuple[DoubtsSettled, dict[int, tuple[Attempt, Undecided]]]:
        """Each call once more under its name. Also those of which that tells nothing, and why.

        What somebody gave up is left alone: it may have been bought again under another name.
        """
        left: dict[int, tuple[Attempt, Undecided]] = {}
        settled = DoubtsSettled()

        async def each() -> AsyncIterator[Attempt]:
            for attempt in doubts:
                yield attempt

        async def one(attempt: Attempt) -> DoubtsSettled:
            found = await self._by_name(backend, attempt)
            if isinstance(found, DoubtsSettled):
                return found
            left[attempt.id] = (attempt, found)
            return DoubtsSettled()

        async with aclosing(bounded_map(each(), _WIDTH, one)) as answers:
            async for more in answers:
                settled += more
        return settled, left

    async def _by_name(self, backend: Backend, attempt: Attempt) -> DoubtsSettled | Undecided:
        """What the provider answers to the call of that name, written down."""
        if self.resender is None or attempt.state is not State.UNKNOWN:
            known = undecided(attempt.details)
            person = known is not None and known.needs is Needs.PERSON
            return known if known and person else Undecided(Needs.RUN, _NOT_SENT)
        answer = await self.resender.resend(backend, attempt)
        if isinstance(answer, Undecided):
            return answer
        if isinstance(answer, Failure):
            await self._end(attempt, answer)
            self.resender.bodies.forget(attempt.uuid)
            return DoubtsSettled(failed=1)
        try:
            await self._adopt(attempt, answer)
        except DuplicateRequest:
            return _ANOTHERS
        if self.claims and isinstance(answer, Accepted):
            await self.claims.accepted(job_of(attempt), attempt.uuid, answer)
        self.resender.bodies.forget(attempt.uuid)
        return DoubtsSettled(adopted=1)

    async def _end(self, attempt: Attempt, failure: Failure) -> None:
        """It failed, at a cost or not."""
        self.budget.resume(attempt.price, attempt.id)
        if failure.billed is Billed.YES:
            self._book(attempt, failure.cost)
        else:
            self.budget.release(attempt.price, attempt.id)
        await self.ledger.close_attempt(attempt.id, State.FAILED, failure)
        if self.claims:
            await self.claims.ended(job_of(attempt), attempt.uuid, State.FAILED, failure)

    def _query(self, every: bool) -> RecordsQuery | None:
        """None: nothing is in doubt."""
        with open_reader(self.ledger.path) as reader:
            held = reader.unknown_attempts(self.name)
            given_up = reader.given_up_attempts(self.name)
            doubts = [
                attempt
                for attempt in (*held, *given_up)
                if self.mine(attempt)
                if every or (found := undecided(attempt.details)) is None or _by_itself(found)
            ]
            if not doubts:
                return None
            numbers = [attempt.id for attempt in doubts]
            known = reader.known_calls(self.name, min(numbers), max(numbers))
            ids = reader.request_ids()
        return RecordsQuery(tuple(doubts), tuple(known), ids, _RECORDS_LAG_SECONDS)

    async def _without_records(self, left: Iterable[tuple[Attempt, Undecided]]) -> DoubtsSettled:
        """The backend has no `look_up`: what sending again does not settle, a person decides."""
        if self.settlement.by != "key":
            why = f"the backend '{self.name}' cannot look calls up in its provider's records"
            left = [(attempt, Undecided(Needs.PERSON, why)) for attempt, _ in left]
        held = [(a, found) for a, found in left if a.state is State.UNKNOWN]
        await self._note([(a.id, found) for a, found in held if undecided(a.details) != found])
        return DoubtsSettled(undecided=tuple(found for _, found in held))

    async def _unreadable(self, doubts: Sequence[Attempt], failure: Failure) -> DoubtsSettled:
        why = f"the provider's records could not be read: {failure.message}"
        self.notice(f"{why}. {len(doubts)} unknown outcomes stay held; the next run asks again")
        found = Undecided(Needs.TIME, why)
        await self._note([(attempt.id, found) for attempt in doubts])
        return DoubtsSettled(undecided=(found,) * len(doubts))

    async def _write_down(self, doubts: Sequence[Attempt], evidence: Evidence) -> DoubtsSettled:
        by_id = {attempt.id: attempt for attempt in doubts}
        left, adopted = list(evidence.undecided), 0
        for attempt_id, step in evidence.adopted:
            try:
                await self._adopt(by_id[attempt_id], step)
                adopted += 1
            except DuplicateRequest:
                left.append((attempt_id, _ANOTHERS))
        for attempt_id, why in evidence.failed:
            await self._release(by_id[attempt_id], State.FAILED, why)
        for attempt_id in evidence.absent:
            if by_id[attempt_id].billed is not Billed.YES:  # the bill was seen: it was taken
                await self._release(by_id[attempt_id], State.READY, ABSENT)
        await self._note(left)
        return DoubtsSettled(
            adopted,
            len(evidence.failed),
            len(evidence.absent),
            tuple(found for _, found in left),
            evidence.now,
        )

    async def _note(self, found: Sequence[tuple[int, Undecided]]) -> None:
        if found:
            await self.ledger.note_undecided(found)

    async def _adopt(self, attempt: Attempt, step: Step) -> None:
        """Raises DuplicateRequest, before anything is counted."""
        assert not isinstance(step, Completed | PaidUnfetched)
        held = attempt.billed is Billed.UNKNOWN
        if attempt.state is State.UNKNOWN:
            await self.ledger.advance(attempt.id, step)
        if held:
            self.budget.resume(attempt.price, attempt.id)
            if isinstance(step, ResultKnown):
                self._book(attempt, step.cost)
        if attempt.state is State.UNKNOWN:
            return
        revived = await self.ledger.revive(attempt, step)
        if isinstance(step, Accepted) and held and not revived:
            self.budget.hold(attempt.price, attempt.id)  # taken, and not seen to be billed yet
        elif isinstance(step, Accepted) and not held and revived:
            self.budget.adopt(attempt.price)

    def _book(self, attempt: Attempt, cost: float | None) -> None:
        (self.book or self.budget.settle)(attempt.price, cost, attempt.id)

    async def _release(self, attempt: Attempt, state: State, why: str) -> None:
        if attempt.billed is Billed.UNKNOWN:
            self.budget.resume(attempt.price, attempt.id)
            self.budget.release(attempt.price, attempt.id)
        failure = Failure(FailureKind.JOB_FAILED, why)
        if attempt.state is State.UNKNOWN:
            await self.ledger.close_attempt(attempt.id, state, failure)
        else:
            await self.ledger.correct(attempt.id, replace(failure, cost=0))
        if self.claims and attempt.uuid:
            await self.claims.ended(job_of(attempt), attempt.uuid, state, failure)


def _hopeful(sent: Undecided, recorded: Undecided) -> Undecided:
    """Why a doubt is left, of what sending it again and what the records told: as long as it may be sent
    again, nobody need decide."""
    waits = sent.needs is not Needs.PERSON and recorded.needs is Needs.PERSON
    return sent if waits else recorded


def _by_itself(found: Undecided) -> bool:
    return found.needs is not Needs.PERSON


async def keep_asking(
    settler: DoubtSettler, settled: DoubtsSettled, clock: Clock
) -> AsyncGenerator[DoubtsSettled]:
    """What every further look at the records settles, until nothing is in doubt that time alone
    would settle. Gives up once nobody could say for `_RECORDS_LAG_SECONDS` how long that takes.

    Raises `Stopped` where the run is shut down meanwhile.
    """
    blindly, pause = 0.0, _FIRST_LOOK
    while (wait := settled.wait) is not None and blindly <= _RECORDS_LAG_SECONDS:
        seconds = min(wait + 1.0, pause)
        blindly = blindly + seconds if math.isinf(wait) else 0.0
        pause = min(2 * pause, _LOOKS_APART)
        settler.notice(_still_waiting(settled))
        with settler.waiting():
            await clock.sleep(seconds)
        settled = await settler.settle(every=False)
        yield settled


def _still_waiting(settled: DoubtsSettled) -> str:
    """How many doubts there are and how long they take, in words."""
    number = sum(found.needs is Needs.TIME for found in settled.undecided)
    calls = "1 unknown outcome waits" if number == 1 else f"{number} unknown outcomes wait"
    wait = settled.wait
    if wait is None or math.isinf(wait):
        return f"{calls} for the provider's records; asking again"
    how_long = f"{wait / 60:.0f} min" if wait >= 90 else f"{wait:.0f} s"
    return f"{calls} for the provider's records, which can settle the first in {how_long}"
