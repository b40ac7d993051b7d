"""From READY to the first step: the one place where money leaves.

    prepare → breaker, gate → budget → INTENT → submit

What decides stands elsewhere (`retry`, `gate`, `breaker`, `budget`); this is the thin part that
waits. A job's failure is a value; what stops the run goes to the brake.
"""

from __future__ import annotations

from typing import Any

from relightflow import crash
from relightflow.errors import EarlyStop, Exit, StorageError
from relightflow.ledger.ledger import GIVEN_UP, DuplicateAttempt, damaged
from relightflow.model.attempt import State
from relightflow.model.failure import EXIT_OF, Billed, CallFailed, Failure, Kind
from relightflow.model.job import Job
from relightflow.model.money import dollars
from relightflow.model.outcome import Outcome
from relightflow.model.summary import Trouble
from relightflow.plugins.backend import Call
from relightflow.run import trail
from relightflow.run.bench import Bench, label
from relightflow.run.brake import Stopped
from relightflow.run.collect import finish
from relightflow.run.gate import Permit
from relightflow.run.purchase import Purchase, close, fail_fast, failed, kept_apart
from relightflow.run.retry import LEAST_PAUSE, GiveUp, Tally, decide, pause


async def make(bench: Bench, job: Job, instead_of: int | None = None) -> Outcome | None:
    """Buy `job`, at most once, and store the picture. None: not started, the run is stopping.

    `instead_of`: an unknown attempt that its owner gives up for this one, together with INTENT or
    not at all.
    """
    begun = bench.clock.monotonic()

    async def life() -> Outcome:
        try:
            prepared = await _prepared(bench, job)
        except CallFailed as verdict:
            return await _never_called(bench, job, verdict.failure)
        return await _submit(bench, job, prepared, begun, instead_of)

    return await kept_apart(bench, job, life)


async def _prepared(bench: Bench, job: Job) -> Any:
    """The job's input, ready to be sent. Raises CallFailed once it is not worth another try."""
    tally = Tally()
    while True:
        try:
            with bench.brake.submitting():
                return await bench.inputs.prepared(job.image)
        except CallFailed as verdict:
            failure = verdict.failure
            decision = decide(failure, tally, bench.rng)
            if isinstance(decision, GiveUp):
                raise CallFailed(decision.failure) from verdict
        if failure.kind is Kind.RATE_LIMITED and bench.gate:
            _stop_early(bench, bench.gate.limited(None, failure.retry_after))
        tally = decision.tally
        with bench.brake.submitting():
            await bench.clock.sleep(max(decision.after, _pause(failure)))


def _pause(failure: Failure) -> float:
    """Seconds to wait after a "come back later" where no gate does the waiting."""
    return pause(failure.retry_after) or LEAST_PAUSE


async def _submit(
    bench: Bench, job: Job, prepared: Any, begun: float, instead_of: int | None
) -> Outcome:
    """Call until there is a step or a final failure; every call is an attempt of its own."""
    backend = await bench.backend.get()
    call = Call(job, prepared)
    tally = Tally()
    calls = 0
    while True:
        refused = bench.refusals.check(job)
        if refused:
            return await _never_called(bench, job, refused)
        permit = await _permission(bench, job)
        attempt = await _intend(bench, call, permit, instead_of)
        instead_of = None
        calls += 1
        bench.board.calls += 1
        purchase = Purchase(job, attempt, begun, calls, bench.price)
        try:
            step = await backend.submit(call)
        except CallFailed as verdict:
            failure = verdict.failure
            _heard(bench, job, permit, failure)
            decision = decide(failure, tally, bench.rng)
            if isinstance(decision, GiveUp):
                return await _gave_up(bench, purchase, decision.failure)
        except BaseException:  # torn, or a bug: nobody may go on waiting for this call's answer
            _forget(bench, job, permit)
            raise
        else:
            crash.reach("after-submit")
            _heard(bench, job, permit, None)
            return await finish(bench, purchase, step)
        await close(bench, purchase, State.READY, failure)
        tally = decision.tally
        bench.board.retries += 1
        pause = decision.after
        if failure.kind is Kind.RATE_LIMITED and bench.gate is None:
            pause = _pause(failure)
        if pause > 0:
            with bench.brake.submitting():
                await bench.clock.sleep(pause)


async def _permission(bench: Bench, job: Job) -> Permit | None:
    """Wait for breaker and gate, then set the price aside. Raises Stopped."""
    permit = None
    try:
        with bench.brake.submitting():
            await bench.accepted.none_expiring()
            await bench.breaker.closed(job.key)
            if bench.gate:
                permit = await bench.gate.enter()
    except EarlyStop as stop:
        _stop_early(bench, stop)
        raise Stopped from stop
    trouble = _no_room(bench)
    if trouble is None and bench.brake.submits_allowed:
        if bench.budget.reserve(bench.price):
            return permit
        trouble = _budget_reached(bench)
    if trouble:
        bench.brake.stop_submits(trouble)
    _forget(bench, job, permit)
    raise Stopped


def _forget(bench: Bench, job: Job, permit: Permit | None) -> None:
    """The job was let through, and no answer of it will be heard."""
    bench.breaker.forget(job.key)
    if bench.gate and permit:
        bench.gate.answered(permit)


def _no_room(bench: Bench) -> Trouble | None:
    """Nothing is bought that could not be stored."""
    if bench.free:
        return None
    missing = bench.room.missing(bench.board.in_flight)
    if not missing:
        return None
    return Trouble(
        Exit.STORAGE,
        f"the disk with {bench.blobs_path} is short of {missing >> 20:,} MB for the results of the "
        "calls in flight and one more; nothing more was sent. Make room, then run again",
    )


def _budget_reached(bench: Bench) -> Trouble:
    budget = bench.budget
    if not budget.cap:
        return Trouble(
            Exit.BUDGET,
            f"a job has still to be bought, for up to {dollars(bench.price)} USD, and the cap is 0; "
            "nothing more was sent. Run again with --max-cost to allow it",
        )
    return Trouble(
        Exit.BUDGET,
        f"the cap of {dollars(budget.cap or 0)} USD does not hold one more call of up to "
        f"{dollars(bench.price)} USD ({dollars(budget.spent)} spent, {dollars(budget.in_flight)} "
        f"in flight, {dollars(budget.held)} unknown); nothing more was sent. Raise the cap to go on",
    )


async def _intend(bench: Bench, call: Call, permit: Permit | None, instead_of: int | None) -> int:
    """INTENT, durable, as late as possible. Raises StorageError where another attempt is alive."""
    details = bench.backend.intent_details(call)
    crash.reach("before-intent")
    try:
        attempt = await bench.ledger.intend(
            call.job, bench.run_id, bench.price, details, instead_of
        )
    except BaseException as error:
        bench.budget.release(bench.price)
        _forget(bench, call.job, permit)
        if isinstance(error, DuplicateAttempt):  # asked for the job, the ledger knew of none
            raise StorageError(
                damaged(bench.ledger_path, f"it contradicts itself about job {call.job.id}")
            ) from error
        raise
    if instead_of is not None:
        trail.ended(bench, call.job, State.READY, GIVEN_UP)
    trail.intended(bench, call.job, details)
    crash.reach("after-intent")
    return attempt


def _heard(bench: Bench, job: Job, permit: Permit | None, failure: Failure | None) -> None:
    """Tell the rules what a submit came to; put the brake on where a person is needed."""
    bench.breaker.note(job.key, failure)
    bench.refusals.note(job, failure)
    if bench.gate and permit:
        if failure and failure.kind is Kind.RATE_LIMITED:
            _stop_early(bench, bench.gate.limited(permit, failure.retry_after))
        else:
            bench.gate.answered(permit)
    if failure and failure.kind in (Kind.ACCOUNT, Kind.REFUSED_SAFETY):
        bench.brake.stop_submits(Trouble(EXIT_OF[failure.kind], failure.message))


def _stop_early(bench: Bench, stop: EarlyStop | None) -> None:
    if stop:
        bench.brake.stop_submits(Trouble(Exit.EARLY, str(stop)))


_TRY_NEXT_TIME = (Kind.ACCOUNT, Kind.REFUSED_SAFETY, Kind.UNSENT)
"""Not the job's fault: it stays READY."""


async def _gave_up(bench: Bench, purchase: Purchase, failure: Failure) -> Outcome:
    """A submit ended without a step, for good."""
    if failure.kept:
        await bench.blobs.keep_aside(failure.kept, label(purchase.job, bench.price))
    if failure.billed is Billed.UNKNOWN:
        state = State.UNKNOWN
    elif failure.billed is Billed.NO and failure.kind in _TRY_NEXT_TIME:
        state = State.READY
    else:
        state = State.FAILED
    await close(bench, purchase, state, failure)
    return failed(bench, purchase, failure)


async def _never_called(bench: Bench, job: Job, failure: Failure) -> Outcome:
    """The job failed before any call; that too is written down."""
    if failure.kind in (Kind.ACCOUNT, Kind.RATE_LIMITED, Kind.UNSENT, Kind.REFUSED_SAFETY):
        bench.brake.stop_submits(Trouble(EXIT_OF[failure.kind], failure.message))
    try:
        await bench.ledger.note_failure(job, bench.run_id, failure)
    except DuplicateAttempt:
        raise Stopped from None
    fail_fast(bench)
    return Outcome(job, failure=failure)
