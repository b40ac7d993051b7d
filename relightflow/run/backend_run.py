"""One backend's part of a run: goes through its jobs of a plan, and has done what each needs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from relightflow.core.bounded_map import bounded_map
from relightflow.ledger.reader import Reader, open_reader
from relightflow.model.claim import JobClaim
from relightflow.model.evidence import Needs, Undecided
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome
from relightflow.model.plan import Plan
from relightflow.run.actions import Action, Item, items
from relightflow.run.context import RunContext
from relightflow.run.jobs.active_attempt import AttemptRecorder
from relightflow.run.jobs.recovery import Recovery
from relightflow.run.jobs.restore import BlobRestorer
from relightflow.run.jobs.submit import Submitter
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.shared.adopt import SharedResults
from relightflow.run.shared.claims import ClaimedElsewhere
from relightflow.run.shutdown import Stopped

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 10.0
"""Seconds between two looks at what other machines have claimed; they double."""


@dataclass(frozen=True, slots=True)
class BackendRun:
    """What buys and fetches the jobs of one model of one backend; it has its own price, rate limit and
    key, and shares ledger, budget accounts and counters with the others of the run."""

    context: RunContext
    model: tuple[str, str]
    """(backend, model), as its jobs have them."""
    backend: LazyBackend
    blobs_path: Path
    submitter: Submitter
    restorer: BlobRestorer
    recovery: Recovery
    """Of what earlier runs left of its model; of the first of a backend also of models that are not bought."""
    recorder: AttemptRecorder
    shared: SharedResults | None = None
    """None: there is no shared store, or it is not for what is free."""
    elsewhere: frozenset[str] = frozenset()
    """Keys of jobs that were bought with another state: not bought here."""

    async def go_through(
        self,
        plan: Plan,
        submit: bool,
        recovered: Mapping[str, Outcome],
        states: Reader | None,
        late: bool = False,
    ) -> AsyncGenerator[Outcome]:
        """Once through this backend's jobs of the plan; what had to be touched, as it finishes. `recovered`:
        outcomes of the run so far, by job key. `states`: reads how the jobs stand; None: a reader of our own
        does. `late`: only what an earlier pass could not buy."""
        ledger = self.submitter.ledger.path
        kept = nullcontext(states) if states else open_reader(ledger)
        with kept as reader, open_reader(ledger) as notes:
            chunks = items(plan, reader, self.blobs_path, self.model)
            wanted = self._wanted(chunks, submit, recovered, reader, late)
            claimed: dict[str, tuple[Item, JobClaim | None]] = {}

            async def one(item: Item) -> Outcome | None:
                job = item.output.job
                outcome = recovered.get(job.key)
                if outcome is None or item.action in (Action.MAKE, Action.MEND):
                    try:
                        outcome = await self._perform(item, submit)
                    except ClaimedElsewhere as theirs:
                        assert self.shared
                        outcome = await self.shared.of_claim(job, theirs.claim)
                        if outcome is None:
                            claimed[job.key] = (item, theirs.claim)
                if self.shared and outcome and outcome.result:
                    result = outcome.result
                    self.shared.publish_if_missing(notes, job, outcome.attempt, result)
                return outcome and replace(outcome, output=item.output)

            async with aclosing(self._each_once(wanted, one)) as outcomes:
                async for outcome in outcomes:
                    yield outcome
            async with aclosing(self._claimed(claimed, one, submit)) as outcomes:
                async for outcome in outcomes:
                    yield outcome

    async def _each_once(
        self, wanted: AsyncIterator[Item], one: Callable[[Item], Awaitable[Outcome | None]]
    ) -> AsyncGenerator[Outcome]:
        width = self.context.limits.concurrency
        found = bounded_map(wanted, width, one, lambda: not self.recorder.shutdown.draining)
        async with aclosing(found):
            async for outcome in found:
                if outcome is not None:
                    yield outcome

    async def _claimed(
        self,
        claimed: dict[str, tuple[Item, JobClaim | None]],
        one: Callable[[Item], Awaitable[Outcome | None]],
        wait: bool,
    ) -> AsyncGenerator[Outcome]:
        """What other machines had claimed, once they are done with it or have had their time. `wait`
        False: nothing is waited for. Whatever is left in `claimed` is told."""
        pause = _FIRST_PAUSE
        shutdown = self.recorder.shutdown
        if claimed and wait and self.shared:
            await self.shared.rest()
        while claimed and wait and shutdown.submits_allowed:
            try:
                with shutdown.submitting():
                    await self.context.clock.sleep(pause)
            except Stopped:
                break
            again = tuple(item for item, _ in claimed.values())
            claimed.clear()
            async with aclosing(self._each_once(_each(again), one)) as outcomes:
                async for outcome in outcomes:
                    yield outcome
            if claimed and self.shared and pause == _FIRST_PAUSE:
                self.shared.say_waiting([claim for _, claim in claimed.values()])
            pause = min(2 * pause, _LONGEST_PAUSE)
        for item, claim in claimed.values():
            assert self.shared
            yield replace(self.shared.left(item.output.job, claim), output=item.output)

    async def _wanted(
        self,
        chunks: AsyncIterator[list[Item]],
        submit: bool,
        recovered: Mapping[str, Outcome],
        reader: Reader,
        late: bool,
    ) -> AsyncIterator[Item]:
        """The items that need a hand; those in place are counted, those that must wait passed over.
        `late`: only those that can be bought, since the others were seen before."""
        async for chunk in chunks:
            for item in chunk:
                job = item.output.job
                if late and item.action is not Action.MAKE:
                    continue
                if item.action is Action.REUSE and job.key not in recovered:
                    self.recorder.counters.reused += 1
                    if self.shared and item.job_state:
                        number, result = item.job_state.attempt_id, item.job_state.result
                        self.shared.publish_if_missing(reader, job, number, result)
                elif item.action is Action.MAKE and not (
                    (submit or self.shared) and self.recorder.shutdown.submits_allowed
                ):
                    continue
                else:
                    yield item

    async def _perform(self, item: Item, submit: bool) -> Outcome | None:
        job, state = item.output.job, item.job_state
        if item.action is Action.MAKE:
            return await self._adopt_or_make(job, submit)
        if item.action is Action.MEND and state:
            return await self.recorder.isolate_job(job, lambda: self.restorer.restore(job, state))
        doubt = item.action is Action.HOLD_UNKNOWN and submit
        if doubt and state and self._may_resubmit(state.undecided):
            made = await self.submitter.make(job, instead_of=state.attempt_id)
            return made or _held(item)
        return _held(item)

    async def _adopt_or_make(self, job: Job, submit: bool) -> Outcome | None:
        """What another machine made of it; bought where none did and `submit`. None: not started."""
        if self.shared:
            try:
                with self.recorder.index_progress.job():
                    adopted = await self.shared.adopt(job)
            except Stopped:
                return None
            if adopted or not submit:
                return adopted
        if job.key in self.elsewhere:
            return Outcome(job, failure=_ELSEWHERE)
        return await self.submitter.make(job)

    def _may_resubmit(self, found: Undecided | None) -> bool:
        """`limits.on_unknown: resubmit`: the recipe's owner accepts a second bill, within the limits, for
        what the provider's records will not settle.

        The old attempt goes on counting as possibly billed.
        """
        wanted = self.context.limits.on_unknown == "resubmit" and bool(
            self.recorder.budget.accounts
        )
        settles_itself = found is not None and found.needs is not Needs.PERSON
        return wanted and not settles_itself and self.recorder.shutdown.submits_allowed


_ELSEWHERE = Failure(
    FailureKind.REFUSED_SAFETY,
    "a manifest in a sink says that it was bought with another state, and the shared store does "
    "not have "
    "it; 'relightflow adopt' adopts the file, --buy-again buys it again",
    Billed.NO,
)


async def _each(some: Sequence[Item]) -> AsyncIterator[Item]:
    for item in some:
        yield item


def _held(item: Item) -> Outcome:
    """What an earlier run left and this one must not touch, said again."""
    state = item.job_state
    assert state
    kinds = {
        Action.HOLD_UNKNOWN: FailureKind.UNKNOWN,
        Action.HOLD_FAILED: FailureKind.BAD_RESULT,
    }
    kind = kinds.get(item.action, FailureKind.PENDING)
    reason = state.reason or "not collected yet; the next run continues"
    failure = Failure(kind, reason, state.billed, request_id=state.request_id)
    return Outcome(item.output.job, state.attempt_id, failure=failure)
