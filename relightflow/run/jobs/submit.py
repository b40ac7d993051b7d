"""From READY to the first step: the one place where money leaves.

    prepare → breaker, gate → budget → INTENT → submit

What decides stands elsewhere (`retry`, `gate`, `breaker`, `budget`); this is the thin part that
waits. A job's failure is a value; what stops the run goes to the brake.
"""

from __future__ import annotations

from typing import Any

from relightflow.core import failpoints
from relightflow.errors import EarlyStop, Exit, StorageError
from relightflow.ledger.ledger import GIVEN_UP, DuplicateAttempt, damaged
from relightflow.model.attempt import State
from relightflow.model.failure import EXIT_OF, Billed, CallFailed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.money import dollars
from relightflow.model.outcome import Outcome
from relightflow.model.summary import Issue
from relightflow.plugins.backend import Call
from relightflow.run.context import RunContext, index_facts
from relightflow.run.jobs import call_log
from relightflow.run.jobs.active_attempt import ActiveAttempt, close, fail_fast, failed, isolate_job
from relightflow.run.jobs.collect import finish
from relightflow.run.limits.rate_limit import Permit
from relightflow.run.limits.retry import LEAST_PAUSE, GiveUp, RetryCounts, decide, pause
from relightflow.run.shutdown import Stopped


async def make(context: RunContext, job: Job, instead_of: int | None = None) -> Outcome | None:
    """Buy `job`, at most once, and store the image. None: not started, the run is stopping.

    `instead_of`: an unknown attempt that its owner gives up for this one, together with INTENT or
    not at all.
    """
    begun = context.clock.monotonic()

    async def life() -> Outcome:
        try:
            prepared = await _prepared(context, job)
        except CallFailed as error:
            return await _never_called(context, job, error.failure)
        return await _submit(context, job, prepared, begun, instead_of)

    return await isolate_job(context, job, life)


async def _prepared(context: RunContext, job: Job) -> Any:
    """The job's input, ready to be sent. Raises CallFailed once it is not worth another try."""
    counts = RetryCounts()
    while True:
        try:
            with context.shutdown.submitting():
                return await context.inputs.prepared(job.image)
        except CallFailed as error:
            failure = error.failure
            decision = decide(failure, counts, context.rng)
            if isinstance(decision, GiveUp):
                raise CallFailed(decision.failure) from error
        if failure.kind is FailureKind.RATE_LIMITED and context.rate_limiter:
            _stop_early(context, context.rate_limiter.limited(None, failure.retry_after))
        counts = decision.counts
        with context.shutdown.submitting():
            await context.clock.sleep(max(decision.after, _pause(failure)))


def _pause(failure: Failure) -> float:
    """Seconds to wait after a "come back later" where no gate does the waiting."""
    return pause(failure.retry_after) or LEAST_PAUSE


async def _submit(
    context: RunContext, job: Job, prepared: Any, begun: float, instead_of: int | None
) -> Outcome:
    """Call until there is a step or a final failure; every call is an attempt of its own."""
    backend = await context.backend.get()
    call = Call(job, prepared)
    counts = RetryCounts()
    calls = 0
    while True:
        refused = context.refusals.check(job)
        if refused:
            return await _never_called(context, job, refused)
        permit = await _acquire(context, job)
        attempt = await _intend(context, call, permit, instead_of)
        instead_of = None
        calls += 1
        context.counters.calls += 1
        active = ActiveAttempt(job, attempt, begun, calls, context.price)
        try:
            step = await backend.submit(call)
        except CallFailed as error:
            failure = error.failure
            _record_answer(context, job, permit, failure)
            decision = decide(failure, counts, context.rng)
            if isinstance(decision, GiveUp):
                return await _close_failed(context, active, decision.failure)
        except BaseException:  # torn, or a bug: nobody may go on waiting for this call's answer
            _release_permit(context, job, permit)
            raise
        else:
            failpoints.reach("after-submit")
            _record_answer(context, job, permit, None)
            return await finish(context, active, step)
        await close(context, active, State.READY, failure)
        counts = decision.counts
        context.counters.retries += 1
        pause = decision.after
        if failure.kind is FailureKind.RATE_LIMITED and context.rate_limiter is None:
            pause = _pause(failure)
        if pause > 0:
            with context.shutdown.submitting():
                await context.clock.sleep(pause)


async def _acquire(context: RunContext, job: Job) -> Permit | None:
    """Wait for breaker and gate, then set the price aside. Raises Stopped."""
    permit = None
    try:
        with context.shutdown.submitting():
            await context.expiry_guard.none_expiring()
            await context.circuit_breaker.closed(job.key)
            if context.rate_limiter:
                permit = await context.rate_limiter.enter()
    except EarlyStop as stop:
        _stop_early(context, stop)
        raise Stopped from stop
    issue = _disk_issue(context)
    if issue is None and context.shutdown.submits_allowed:
        if context.budget.reserve(context.price):
            return permit
        issue = _budget_reached(context)
    if issue:
        context.shutdown.stop_new(issue)
    _release_permit(context, job, permit)
    raise Stopped


def _release_permit(context: RunContext, job: Job, permit: Permit | None) -> None:
    """The job was let through, and no answer of it will be heard."""
    context.circuit_breaker.forget(job.key)
    if context.rate_limiter and permit:
        context.rate_limiter.answered(permit)


def _disk_issue(context: RunContext) -> Issue | None:
    """Nothing is bought that could not be stored."""
    if context.free:
        return None
    missing = context.disk_guard.missing(context.counters.in_flight)
    if not missing:
        return None
    return Issue(
        Exit.STORAGE,
        f"the disk with {context.blobs_path} is short of {missing >> 20:,} MB for the results of the "
        "calls in flight and one more; nothing more was sent. Make room, then run again",
    )


def _budget_reached(context: RunContext) -> Issue:
    budget = context.budget
    if not budget.cap:
        return Issue(
            Exit.BUDGET,
            f"a job has still to be bought, for up to {dollars(context.price)} USD, and the cap is 0; "
            "nothing more was sent. Run again with --max-cost to allow it",
        )
    return Issue(
        Exit.BUDGET,
        f"the cap of {dollars(budget.cap or 0)} USD does not hold one more call of up to "
        f"{dollars(context.price)} USD ({dollars(budget.spent)} spent, {dollars(budget.in_flight)} "
        f"in flight, {dollars(budget.held)} unknown); nothing more was sent. Raise the cap to go on",
    )


async def _intend(
    context: RunContext, call: Call, permit: Permit | None, instead_of: int | None
) -> int:
    """INTENT, durable, as late as possible. Raises StorageError where another attempt is alive."""
    details = context.backend.intent_details(call)
    failpoints.reach("before-intent")
    try:
        attempt = await context.ledger.intend(
            call.job, context.run_id, context.price, details, instead_of
        )
    except BaseException as error:
        context.budget.release(context.price)
        _release_permit(context, call.job, permit)
        if isinstance(error, DuplicateAttempt):  # asked for the job, the ledger knew of none
            raise StorageError(
                damaged(context.ledger_path, f"it contradicts itself about job {call.job.id}")
            ) from error
        raise
    if instead_of is not None:
        call_log.log_end(context, call.job, State.READY, GIVEN_UP)
    call_log.log_intent(context, call.job, details)
    failpoints.reach("after-intent")
    return attempt


def _record_answer(
    context: RunContext, job: Job, permit: Permit | None, failure: Failure | None
) -> None:
    """Tell the rules what a submit came to; put the brake on where a person is needed."""
    context.circuit_breaker.note(job.key, failure)
    context.refusals.note(job, failure)
    if context.rate_limiter and permit:
        if failure and failure.kind is FailureKind.RATE_LIMITED:
            _stop_early(context, context.rate_limiter.limited(permit, failure.retry_after))
        else:
            context.rate_limiter.answered(permit)
    if failure and failure.kind in (FailureKind.ACCOUNT, FailureKind.REFUSED_SAFETY):
        context.shutdown.stop_new(Issue(EXIT_OF[failure.kind], failure.message))


def _stop_early(context: RunContext, stop: EarlyStop | None) -> None:
    if stop:
        context.shutdown.stop_new(Issue(Exit.EARLY, str(stop)))


_TRY_NEXT_TIME = (FailureKind.ACCOUNT, FailureKind.REFUSED_SAFETY, FailureKind.UNSENT)
"""Not the job's fault: it stays READY."""


async def _close_failed(context: RunContext, active: ActiveAttempt, failure: Failure) -> Outcome:
    """A submit ended without a step, for good."""
    if failure.kept:
        await context.blobs.keep_aside(failure.kept, index_facts(active.job, context.price))
    if failure.billed is Billed.UNKNOWN:
        state = State.UNKNOWN
    elif failure.billed is Billed.NO and failure.kind in _TRY_NEXT_TIME:
        state = State.READY
    else:
        state = State.FAILED
    await close(context, active, state, failure)
    return failed(context, active, failure)


async def _never_called(context: RunContext, job: Job, failure: Failure) -> Outcome:
    """The job failed before any call; that too is written down."""
    if failure.kind in (
        FailureKind.ACCOUNT,
        FailureKind.RATE_LIMITED,
        FailureKind.UNSENT,
        FailureKind.REFUSED_SAFETY,
    ):
        context.shutdown.stop_new(Issue(EXIT_OF[failure.kind], failure.message))
    try:
        await context.ledger.note_failure(job, context.run_id, failure)
    except DuplicateAttempt:
        raise Stopped from None
    fail_fast(context)
    return Outcome(job, failure=failure)
