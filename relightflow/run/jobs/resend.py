"""Settles a doubt by sending the same call again under its own name, where the provider bills a name once.

    UNKNOWN → same name, same bytes → ACCEPTED | RESULT_KNOWN | FAILED (unbilled)

A call that arrived is answered as it was or from where it is now; one that never arrived is made now,
for the money that is set aside for it. So either way the doubt ends, without a wait. `may_resend` is
pure and decides when that is safe; the rest waits. docs/explanation/never-pay-twice.md has the rule.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random

from relightflow.errors import EarlyStop, StorageError
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import ACCOUNT, BODY, SERVER_TIME, Needs, Undecided, moment
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.step import Accepted, ResultKnown
from relightflow.objects.faults import ObjectFault
from relightflow.plugins.backend import Backend, Call, HasIntentDetails, HasServerTime, Settlement
from relightflow.run.clock import Clock
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.rate_limit import RateLimiter
from relightflow.run.limits.retry import LEAST_PAUSE, backoff, pause
from relightflow.run.limits.spend import not_again
from relightflow.run.shared.claims import JobClaims
from relightflow.store.request_bodies import RequestBodies

_SPARE = 0.9
"""Of the provider's memory of a name: so late a call may still be sent again."""
_CLOCK_SLACK = 60.0
"""Seconds by which the provider's time may seem to go back."""
_FAULTS = 4
"""Answers that say nothing, in a row, after which the next run goes on."""
_STILL_RUNNING_SECONDS = 1800.0
"""For which a call that still runs is asked after; then the next run goes on."""
_ABOUT_THE_CALL = (
    FailureKind.JOB_FAILED,
    FailureKind.REFUSED_CELL,
    FailureKind.REFUSED_MODEL,
    FailureKind.BAD_IMAGE,
)
"""Unbilled, these say that no call of that name was ever billed (`HasRequestBody`)."""
_PASSING = (
    FailureKind.UNSENT,
    FailureKind.UNAVAILABLE,
    FailureKind.RATE_LIMITED,
    FailureKind.UNKNOWN,
)
"""These say nothing of the earlier call, and another try may."""
_CHANGED = (
    "the call's body was damaged or changed since, and nothing else may be sent under its name"
)
_THEIRS = "in the shared store the job is another machine's by now, so it may have been bought under another name"


def may_resend(
    attempt: Attempt, now: float | None, settlement: Settlement, account: object = None
) -> Undecided | None:
    """None: the provider surely remembers the attempt's name, if it ever heard it. Otherwise why that
    is not known. `now`: the provider's Unix seconds; None: it told no time. `account`: whose calls are
    made now; None: the backend does not say."""
    sent = moment(attempt.details.get(SERVER_TIME))
    if not attempt.uuid:
        return Undecided(Needs.PERSON, "it was made by an older version, without a name of ours")
    if sent is None:
        words = "the provider had sent no time before the call, so nobody knows how old its name is"
        return Undecided(Needs.PERSON, words)
    if attempt.details.get(ACCOUNT) != account:
        words = "it was made with another key, and the account of this one may not know its name"
        return Undecided(Needs.PERSON, words)
    if now is None:
        return Undecided(Needs.TIME, "the provider sent no time")
    if now < sent - _CLOCK_SLACK:
        return Undecided(Needs.PERSON, "the provider's clock went back since the call was made")
    if now - sent > settlement.seconds * _SPARE:
        hours = settlement.seconds / 3600
        words = f"the provider remembers a call's name for {hours:g} hours, and that is over"
        return Undecided(Needs.PERSON, words)
    return None


@dataclass(frozen=True, slots=True)
class Resender:
    """Sends calls again whose outcome is unknown."""

    settlement: Settlement
    bodies: RequestBodies
    clock: Clock
    rng: Random
    rate_limiter: RateLimiter | None = None
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    """Around each call; raises `Stopped` where the run is shut down meanwhile."""
    claims: JobClaims | None = None
    """None: no other machine could have bought the job meanwhile."""
    budget: Budget = field(default_factory=Budget)

    async def resend(
        self, backend: Backend, attempt: Attempt
    ) -> Accepted | ResultKnown | Failure | Undecided:
        """What became of `attempt`. A failure: it ended so, billed or not as the failure says.

        Raises Stopped; nothing is lost by that.
        """
        call = Call(job_of(attempt), None, attempt.uuid)
        now = backend.server_time() if isinstance(backend, HasServerTime) else None
        told = backend.intent_details(call) if isinstance(backend, HasIntentDetails) else {}
        if found := may_resend(attempt, now, self.settlement, told.get(ACCOUNT)):
            return found
        try:
            body = await asyncio.to_thread(self.bodies.read, attempt.uuid)
        except StorageError as error:
            return Undecided(Needs.TIME, str(error))
        if body is None:
            return Undecided(Needs.PERSON, "the call's body is not on this machine (any more)")
        if sha256(body).hexdigest() != attempt.details.get(BODY):
            return Undecided(Needs.PERSON, _CHANGED)
        if self.claims:
            try:
                if not await self.claims.reclaim(call.job, attempt.uuid, attempt.details):
                    return Undecided(Needs.PERSON, _THEIRS)
            except ObjectFault as fault:
                return Undecided(Needs.TIME, f"the shared store could not be asked: {fault}")
        try:
            with self.waiting():
                return await self._answered(backend, replace(call, body=body), attempt)
        except EarlyStop as stop:
            return Undecided(Needs.TIME, str(stop))

    async def _answered(
        self, backend: Backend, call: Call, attempt: Attempt
    ) -> Accepted | ResultKnown | Failure | Undecided:
        """Ask until there is an answer, or the limits forbid it. Raises EarlyStop."""
        faults, begun = 0, self.clock.monotonic()
        while True:
            try:
                step = await self._once(backend, call, attempt)
            except CallFailed as error:
                failure = error.failure
            else:
                if isinstance(step, Accepted | ResultKnown | Undecided):
                    return step
                raise TypeError(f"a call that is sent again gave {type(step).__name__}")
            running = failure.kind is FailureKind.PENDING
            faults = 0 if running else faults + 1
            if found := _ended(failure, faults):
                return found
            if self.clock.monotonic() - begun > _STILL_RUNNING_SECONDS:
                return Undecided(Needs.TIME, f"the call still runs: {failure.message}")
            wait = pause(failure.retry_after) or LEAST_PAUSE + backoff(faults, self.rng)
            await self.clock.sleep(wait)

    async def _once(self, backend: Backend, call: Call, attempt: Attempt) -> object:
        """Undecided: not sent. Raises CallFailed, EarlyStop."""
        limiter = self.rate_limiter
        permit = await limiter.enter() if limiter else None
        if forbidden := not_again(self.budget, attempt.price, attempt.id):
            if limiter and permit:
                limiter.withdrawn(permit)
            return Undecided(Needs.RUN, forbidden)
        try:
            step = await backend.submit(call)
        except CallFailed as error:
            after = error.failure.retry_after
            if limiter and permit and error.failure.kind is FailureKind.RATE_LIMITED:
                if stop := limiter.limited(permit, after):
                    raise stop from None
                permit = None
            raise
        finally:
            if limiter and permit:
                limiter.answered(permit)
        return step


def _ended(failure: Failure, faults: int) -> Failure | Undecided | None:
    """What a refusal means for the call of that name; None: ask again."""
    if failure.kind in _ABOUT_THE_CALL and failure.billed is Billed.NO:
        return failure
    if failure.billed is Billed.YES and failure.kind is not FailureKind.PENDING:
        return failure
    if failure.kind is FailureKind.PENDING or (failure.kind in _PASSING and faults <= _FAULTS):
        return None
    needs = Needs.PERSON if failure.kind is FailureKind.EXPIRED else Needs.TIME
    return Undecided(needs, f"sending it again under its name told nothing: {failure.message}")


def job_of(attempt: Attempt) -> Job:
    """The job of a ledger row; its image has lost its name, never its identity."""
    image = Image("", attempt.image_sha256, 0, 0, 0, "", 0, "")
    return Job(
        attempt.job_key, image, attempt.backend, attempt.model, attempt.parameters, attempt.repeat
    )
