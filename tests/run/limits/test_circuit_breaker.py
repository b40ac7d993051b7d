from __future__ import annotations

import asyncio
from typing import Any

import pytest

from relightflow.errors import AccountError, EarlyStop
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.values import FrozenMap
from relightflow.run.limits.circuit_breaker import NEUTRAL, OUTAGE, WAITS, CircuitBreaker, Refusals
from relightflow.testing.clock import VirtualClock, run

DOWN = Failure(FailureKind.UNSENT, "no connection")


def fail(circuit_breaker: CircuitBreaker, keys: str, failure: Failure = DOWN) -> CircuitBreaker:
    for key in keys:
        circuit_breaker.note(key, failure)
    return circuit_breaker


@pytest.mark.parametrize("kind", sorted(OUTAGE))
def test_five_failures_in_a_row_over_three_jobs_open_it(kind: FailureKind) -> None:
    failure = Failure(kind, "down")
    assert not fail(CircuitBreaker(VirtualClock()), "abca", failure).is_open
    assert fail(CircuitBreaker(VirtualClock()), "abcaa", failure).is_open


def test_two_sick_jobs_are_no_outage() -> None:
    assert not fail(CircuitBreaker(VirtualClock()), "ababababab").is_open


@pytest.mark.parametrize("kind", sorted(set(FailureKind) - OUTAGE - NEUTRAL))
def test_any_answer_of_a_provider_that_works_ends_the_row(kind: FailureKind) -> None:
    circuit_breaker = fail(CircuitBreaker(VirtualClock()), "abcd")
    circuit_breaker.note("e", Failure(kind, "answered"))
    assert not fail(circuit_breaker, "fghi").is_open
    assert fail(circuit_breaker, "j").is_open


@pytest.mark.parametrize("kind", sorted(NEUTRAL))
def test_what_says_nothing_about_the_provider_changes_nothing(kind: FailureKind) -> None:
    circuit_breaker = fail(CircuitBreaker(VirtualClock()), "abcd")
    assert not fail(circuit_breaker, "efghi", Failure(kind, "ours")).is_open
    assert fail(circuit_breaker, "j").is_open


def test_a_free_probe_closes_it_when_the_provider_is_back() -> None:
    asked: list[float] = []

    async def main(clock: VirtualClock) -> float:
        async def probe() -> None:
            asked.append(clock.monotonic())
            if len(asked) < 3:
                raise CallFailed(DOWN) if len(asked) == 1 else ConnectionError

        circuit_breaker = fail(CircuitBreaker(clock, probe), "abcde")
        await asyncio.gather(*(circuit_breaker.closed(key) for key in "abcdefgh"))
        return clock.monotonic()

    assert run(main) == sum(WAITS[:3])
    assert len(asked) == 3


def test_an_answer_that_is_no_outage_closes_it_too() -> None:
    async def main(clock: VirtualClock) -> None:
        async def probe() -> None:
            raise CallFailed(Failure(FailureKind.RATE_LIMITED, "429"))

        await fail(CircuitBreaker(clock, probe), "abcde").closed("a")

    run(main)


def test_an_account_that_needs_a_person_is_not_waited_for() -> None:
    async def main(clock: VirtualClock) -> None:
        async def probe() -> None:
            raise AccountError("the key was refused")

        with pytest.raises(AccountError):
            await fail(CircuitBreaker(clock, probe), "abcde").closed("a")

    run(main)


def test_a_provider_that_stays_down_stops_the_run_for_everyone() -> None:
    async def main(clock: VirtualClock) -> tuple[float, list[Any]]:
        async def probe() -> None:
            raise TimeoutError

        circuit_breaker = fail(CircuitBreaker(clock, probe), "abcde")
        waiting = (circuit_breaker.closed(key) for key in "abc")
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        return clock.monotonic(), ends

    seconds, ends = run(main)
    assert seconds == sum(WAITS)
    assert all(isinstance(end, EarlyStop) and "no connection" in str(end) for end in ends)


def test_without_a_free_call_one_job_goes_ahead_alone() -> None:
    async def main(clock: VirtualClock) -> None:
        circuit_breaker = fail(CircuitBreaker(clock), "abcde")
        waiting = {key: asyncio.ensure_future(circuit_breaker.closed(key)) for key in "xyz"}
        await clock.sleep(1000)
        assert [key for key, task in waiting.items() if task.done()] == ["x"]
        circuit_breaker.note("x", DOWN)
        await clock.sleep(1000)
        assert [key for key, task in waiting.items() if task.done()] == ["x", "y"]
        circuit_breaker.note("y", None)
        await waiting["z"]
        assert not circuit_breaker.is_open

    run(main)


def test_a_trial_that_was_never_made_lets_another_try() -> None:
    async def main(clock: VirtualClock) -> None:
        circuit_breaker = fail(CircuitBreaker(clock), "abcde")
        await circuit_breaker.closed("x")
        circuit_breaker.forget("x")
        await circuit_breaker.closed("y")

    run(main)


def test_trials_that_fail_end_too() -> None:
    async def main(clock: VirtualClock) -> None:
        circuit_breaker = fail(CircuitBreaker(clock), "abcde")
        for _ in WAITS:
            await circuit_breaker.closed("x")
            circuit_breaker.note("x", DOWN)
        with pytest.raises(EarlyStop):
            await circuit_breaker.closed("x")

    run(main)


def test_a_waiter_that_is_cancelled_leaves_the_probe_to_the_next() -> None:
    async def main(clock: VirtualClock) -> None:
        async def probe() -> None:
            return None

        circuit_breaker = fail(CircuitBreaker(clock, probe), "abcde")
        first, second = (asyncio.ensure_future(circuit_breaker.closed(key)) for key in "ab")
        await clock.sleep(1)
        first.cancel()
        await second
        assert not circuit_breaker.is_open

    run(main)


def job(key: str, model: str = "m", **parameters: str) -> Job:
    image = Image("a.png", "0" * 64, 1, 1, 1, "image/png", 0, "a.png")
    return Job(key, image, "backend", model, FrozenMap(parameters), 0)


REFUSED = Failure(FailureKind.REFUSED_CELL, "400: light is odd", status=400)
SICK = Failure(FailureKind.UNAVAILABLE, "500: oops", status=500)


def test_a_refused_cell_is_not_sent_again_and_others_are() -> None:
    refusals = Refusals()
    refusals.note(job("a", light="odd"), REFUSED)
    again = refusals.check(job("b", light="odd"))
    assert again is not None
    assert (again.kind, again.billed) == (FailureKind.REFUSED_CELL, Billed.NO)
    assert again.message == "not sent: 400: light is odd"
    assert refusals.check(job("c", light="left")) is None
    assert refusals.check(job("d", model="other", light="odd")) is None


def test_a_refused_model_stops_all_of_its_cells() -> None:
    refusals = Refusals()
    refusals.note(job("a", light="left"), Failure(FailureKind.REFUSED_MODEL, "410: retired"))
    assert refusals.check(job("b", light="right")) is not None
    assert refusals.check(job("c", model="other", light="left")) is None


@pytest.mark.parametrize(
    "kind", sorted(set(FailureKind) - {FailureKind.REFUSED_CELL, FailureKind.REFUSED_MODEL})
)
def test_nothing_else_refuses_a_cell(kind: FailureKind) -> None:
    refusals = Refusals()
    for key in "abcdefgh":
        refusals.note(job(key, light="left"), Failure(kind, "no", status=502))
    assert refusals.check(job("z", light="left")) is None


def test_a_500_on_every_job_of_one_cell_refuses_it_while_another_works() -> None:
    refusals = Refusals()
    for key in "ab":
        refusals.note(job(key, light="odd"), SICK)
    assert refusals.check(job("z", light="odd")) is None
    refusals.note(job("c", light="left"), None)
    known = refusals.check(job("z", light="odd"))
    assert known is not None
    assert known.kind is FailureKind.REFUSED_CELL


def test_one_job_s_500_refuses_nothing() -> None:
    refusals = Refusals()
    for _ in range(9):
        refusals.note(job("a", light="odd"), SICK)
    refusals.note(job("c", light="left"), None)
    assert refusals.check(job("z", light="odd")) is None


def test_a_500_on_many_jobs_of_the_only_cell_refuses_it() -> None:
    refusals = Refusals()
    for key in "abcd":
        refusals.note(job(key, light="odd"), SICK)
    assert refusals.check(job("z", light="odd")) is None
    refusals.note(job("e", light="odd"), SICK)
    assert refusals.check(job("z", light="odd")) is not None


def test_a_cell_that_has_worked_is_not_suspected() -> None:
    refusals = Refusals()
    refusals.note(job("w", light="left"), None)
    for key in "abcdefgh":
        refusals.note(job(key, light="left"), SICK)
    refusals.note(job("c", light="right"), None)
    assert refusals.check(job("z", light="left")) is None
