"""Of machines that want a job, one buys it: in process, on a clock that does not wait."""

from __future__ import annotations

import asyncio
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from relightflow.errors import Exit
from relightflow.maintenance.rebuild import rebuild
from relightflow.maintenance.resolve import decide
from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.job import Job
from relightflow.model.maintenance import Decision
from relightflow.model.reservation import model_id
from relightflow.model.values import FrozenMap
from relightflow.objects.bucket import Bucket, opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.plan.outputs import jobs
from relightflow.plugins.backend import Settlement
from relightflow.plugins.records import OperatorPolicy
from relightflow.run import run_opening
from relightflow.run.clock import RealClock
from relightflow.run.context import RunContext
from relightflow.run.opening import open_state
from relightflow.run.shared import opening as shared_opening
from relightflow.run.shared.claims import JobClaims
from relightflow.run.shared.client import SharedStoreClient
from relightflow.run.shutdown import Shutdown
from relightflow.store.claims import Claims
from relightflow.store.index_entry import job_facts
from relightflow.testing import clock
from tests.conftest import Program, Stage, make_store
from tests.run.shared.conftest import under_way
from tests.scripted_backend import PRICE, NamedBackend, fails

MANY = list(range(24))


def together(
    patch: pytest.MonkeyPatch, machines: list[Stage], later: float = 0.0, **options: Any
) -> list[Exit]:
    """All machines run at once, the last one `later` seconds after the others; their exits. Time passes
    while a store's thread works, so that it must decide nothing: a claim is left to its owner for ever."""
    patch.setattr(run_opening, "RealClock", clock.VirtualClock)
    patch.setattr(shared_opening, "_LEAST_PATIENCE", math.inf)

    async def all_of_them() -> list[Exit]:
        async def one(stage: Stage, wait: float) -> Exit:
            await asyncio.sleep(wait)
            return (await stage.go(**options)).exit

        waits = [later if stage is machines[-1] else 0.0 for stage in machines]
        return await asyncio.gather(*map(one, machines, waits))

    return clock.run(lambda _: all_of_them())


def bill(machines: list[Stage]) -> list[str]:
    return sorted(key for stage in machines for key in stage.provider.bill)


def claims_in(stage: Stage) -> Claims:
    return Claims(opened(stage.operator.store, files=True))


def job(stage: Stage) -> Job:
    return next(jobs(stage.plan()))


def claim(stage: Stage, **facts: Any) -> JobClaim:
    """What a machine that was never heard of again has put there."""
    one = job(stage)
    made = {
        "state": State.INTENT,
        "attempt": "e" * 32,
        "run": "run-9",
        "machine": "host-9",
        "at": 0.0,
        "model": model_id(one.backend, one.model),
    }
    return JobClaim(one.key, price=PRICE, **{**made, **facts})


def put(stage: Stage, **facts: Any) -> None:
    claims_in(stage).put(job_facts(job(stage), PRICE), claim(stage, **facts))


def cut(*_: object) -> None:
    raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)


@pytest.mark.parametrize("mode", ["v2", "v1", "instant"])
@pytest.mark.parametrize(("rate", "later"), [(None, 0.0), ("4/10s", 3.0)])
def test_machines_that_run_at_once_buy_each_job_once(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch, mode: str, rate: str | None,
    later: float,
) -> None:  # fmt: skip
    """With a rate, the store is asked before the wait for a permit and a job claimed after it."""
    for stage in machines:
        limits: dict[str, Any] = {"rate": rate} if rate else {}
        stage.recipe(shades=MANY, **limits)
        stage.provider.mode, stage.provider.seconds = mode, 0.5
    assert together(monkeypatch, machines, later) == [Exit.OK, Exit.OK]
    assert len(bill(machines)) == len(set(bill(machines))) == len(MANY)
    assert [len(stage.images()) for stage in machines] == [len(MANY)] * 2
    assert all(stage.provider.bill for stage in machines)
    assert not list(claims_in(machines[0]).all())


def test_what_was_finished_between_the_look_and_the_claim_is_not_bought(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines
    one.run_in_no_time(monkeypatch)
    real, seen = SharedStoreClient.finished, set[str]()

    async def finished(self: SharedStoreClient, label: Any, attempt: str = "") -> Any:
        late = label["key"] in seen
        seen.add(label["key"])
        return await real(self, label, attempt) if late else None

    monkeypatch.setattr(SharedStoreClient, "finished", finished)
    assert two.run_in_no_time(monkeypatch).exit is Exit.OK
    assert two.provider.submits == []
    assert not list(claims_in(two).all())


@pytest.mark.parametrize("at", [0.0, clock.EPOCH, clock.EPOCH + 10 * 365 * 86_400])
def test_a_claim_that_nobody_answers_for_is_held_and_never_bought(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch, at: float
) -> None:
    """However old it looks: clocks differ."""
    _, two = machines
    put(two, at=at)
    summary = two.run_in_no_time(monkeypatch)
    assert summary.exit is Exit.UNKNOWN
    assert len(two.provider.bill) == 2
    (held,) = [a for a in two.attempts() if a.state is State.UNKNOWN]
    assert (held.uuid, held.billed, held.price) == ("e" * 32, Billed.UNKNOWN, PRICE)
    assert "host-9 (run run-9) claimed it" in held.reason
    assert two.notices == ["1 job is claimed in the shared store by host-9; left to it for 20 s"]
    assert two.run_in_no_time(monkeypatch).exit is Exit.UNKNOWN
    assert len(two.provider.bill) == 2


def test_a_ledger_made_anew_holds_another_machine_s_claim_too(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, two = machines
    put(two)
    two.run_in_no_time(monkeypatch)
    two.state_dir.ledger.unlink()
    assert rebuild(two.state_dir).open == 1
    (held,) = [a for a in two.attempts() if a.state is State.UNKNOWN]
    assert (held.uuid, held.details["origin"]) == ("e" * 32, "shared")
    assert two.run_in_no_time(monkeypatch).exit is Exit.UNKNOWN
    assert len(two.provider.bill) == 2


def test_a_person_s_word_buys_it(machines: list[Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    _, two = machines
    put(two)
    two.run_in_no_time(monkeypatch)
    with open_state(two.state_dir, "a test") as state:
        decide(two.state_dir, state.ledger, Decision.RESUBMIT, PRICE)
    assert two.run_in_no_time(monkeypatch).exit is Exit.OK
    assert len(two.provider.bill) == 3
    assert not list(claims_in(two).all())


def test_what_its_owner_finished_later_is_delivered_and_costs_nothing_here(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines
    for stage in machines:
        stage.recipe(shades=[0])
    monkeypatch.setattr(run_opening, "RealClock", clock.VirtualClock)

    async def both(_: object) -> list[Exit]:
        async with under_way(one) as first:
            second = (await two.go()).exit
        return [second, (await first).exit, (await two.go()).exit]

    assert clock.run(both) == [Exit.UNKNOWN, Exit.OK, Exit.OK]
    assert len(bill(machines)) == 1
    assert [(a.state, a.billed) for a in two.attempts()] == [
        (State.READY, Billed.NO), (State.DONE, Billed.NO)
    ]  # fmt: skip
    assert len(two.images()) == 1


def test_an_owner_s_own_doubt_is_settled_by_what_another_machine_published(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine loses its answer; another one found the call in the provider's records and collected it."""
    one, two = machines
    for stage in machines:
        stage.recipe(shades=[0])
    one.provider.on_submit = cut
    one.run_in_no_time(monkeypatch)
    (doubt,) = one.attempts()
    put(two, state=State.ACCEPTED, attempt=doubt.uuid, request_id=f"{job(two).key}-request")
    assert two.run_in_no_time(monkeypatch).exit is Exit.OK
    assert one.run_in_no_time(monkeypatch).exit is Exit.OK
    (settled,) = one.attempts()
    assert (settled.state, settled.billed, settled.cost) == (State.DONE, Billed.YES, PRICE)
    assert (one.provider.bill, two.provider.bill) == ([], [])


def test_a_call_that_was_certainly_not_billed_is_free_for_others(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines
    one.provider.on_submit = _failing(FailureKind.JOB_FAILED)
    assert one.run_in_no_time(monkeypatch).exit is Exit.JOBS_FAILED
    assert not list(claims_in(one).all())
    assert two.run_in_no_time(monkeypatch).exit is Exit.OK
    assert len(two.provider.bill) == 3


def test_what_was_paid_without_an_image_is_not_bought_by_others(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines
    one.provider.on_submit = _failing(FailureKind.BAD_RESULT, Billed.YES, cost=PRICE)
    one.run_in_no_time(monkeypatch)
    summary = two.run_in_no_time(monkeypatch)
    assert (summary.exit, two.provider.submits) == (Exit.JOBS_FAILED, [])
    assert {(a.state, a.billed, a.cost) for a in two.attempts()} == {
        (State.FAILED, Billed.YES, PRICE)
    }


def test_every_try_of_a_job_claims_it_anew(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = machines
    one.recipe(shades=[0])
    seen: list[str] = []

    def twice(_: object, number: int) -> None:
        seen.extend(claim.attempt for claim in claims_in(one).all())
        if number < 2:
            raise fails(FailureKind.UNAVAILABLE)

    one.provider.on_submit = twice
    assert one.run_in_no_time(monkeypatch).exit is Exit.OK
    assert seen == [attempt.uuid for attempt in one.attempts()]
    assert len(set(seen)) == 3


@pytest.mark.parametrize("arrives", [True, False])
def test_a_claim_whose_answer_is_lost_is_read_back(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    one, two = machines
    real = Bucket.put
    lost = set[str]()

    def put(self: Bucket, path: str, *args: Any, **more: Any) -> str:
        if more.get("only_new") and path not in lost:
            lost.add(path)
            if arrives:
                real(self, path, *args, **more)
            raise ObjectFault(Reason.PASSING, path, "the answer is lost")
        return real(self, path, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "put", put)
        assert one.run_in_no_time(patch).exit is (Exit.OK if arrives else Exit.EARLY)
    assert len(one.provider.bill) == (3 if arrives else 0)
    assert two.run_in_no_time(monkeypatch).exit is Exit.OK
    assert len(bill(machines)) == 3


def test_a_claim_that_could_not_be_given_back_is_known_as_unsent_later(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store fails between the claim and the look at what is finished, and stays away."""
    one, _ = machines
    away = ObjectFault(Reason.PASSING, "s3://bucket/", "out of reach")
    real = SharedStoreClient.create_claim

    async def then_away(self: SharedStoreClient, label: Any, claim: JobClaim) -> bool:
        made = await real(self, label, claim)
        monkeypatch.setattr(SharedStoreClient, "_finished", _raising(away))
        monkeypatch.setattr(Claims, "release", _raising(away))
        return made

    with monkeypatch.context() as patch:
        patch.setattr(SharedStoreClient, "create_claim", then_away)
        assert one.run_in_no_time(monkeypatch).exit is Exit.EARLY
    assert one.provider.submits == []
    assert list(claims_in(one).all())
    monkeypatch.undo()
    assert one.run_in_no_time(monkeypatch).exit is Exit.OK
    assert len(one.provider.bill) == 3


async def test_a_job_is_claimed_anew_once_its_last_claim_is_given_back(stage: Stage) -> None:
    """Else a slow store would take the new claim away in place of the old one."""
    order: list[str] = []
    go = asyncio.Event()

    class Store:
        atomic = True

        def spawn(self, work: Any) -> Any:
            return asyncio.ensure_future(work)

        async def release(self, _: object, attempt: str) -> bool:
            await go.wait()
            order.append(f"released {attempt[0]}")
            return True

        async def create_claim(self, _: object, claim: JobClaim) -> bool:
            order.append(f"created {claim.attempt[0]}")
            return True

        async def is_finished(self, _: object) -> bool:
            return False

    class Notes:
        async def remember(self, *_: object) -> None:
            return None

    limits, one = stage.plan().recipe.limits, job(stage)
    context = RunContext("run-1", "demo", "studio", PRICE, limits, RealClock(), Random(0))
    claims = JobClaims(context, cast(Any, Store()), cast(Any, Notes()), Shutdown(), PRICE)
    claims.abandon(one, "1" * 32)
    taking = asyncio.ensure_future(claims.take(one, "2" * 32, FrozenMap()))
    for _ in range(20):
        await asyncio.sleep(0)
    assert order == []
    go.set()
    await taking
    assert order == ["released 1", "created 2"]


def test_a_machine_that_was_suspended_asks_again_before_it_sends(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile a person let another machine have the job."""
    one, _ = machines
    one.recipe(shades=[0])
    real = JobClaims.take

    async def sleeps(self: JobClaims, job: Job, uuid: str, *more: Any) -> None:
        await real(self, job, uuid, *more)
        await asyncio.sleep(3600)
        put(one, at=clock.EPOCH + 3600)

    with monkeypatch.context() as patch:
        patch.setattr(JobClaims, "take", sleeps)
        assert one.run_in_no_time(monkeypatch).exit is Exit.UNKNOWN
    assert one.provider.submits == []
    assert claims_in(one).of(job_facts(job(one), PRICE)) == claim(one, at=clock.EPOCH + 3600)


def test_a_process_killed_between_claim_and_intent_leaves_an_unknown_outcome(
    stage: Stage, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be told from a ledger that lost the INTENT, so nothing is bought on its own."""
    store = make_store(f"file://{tmp_path}/shared")
    stage.recipe(shades=[0], max_cost=1)
    code, said = program.run("--store", store, crash="before-intent")
    assert code < 0, said
    stage.operator = OperatorPolicy(store=store)
    assert list(claims_in(stage).all())
    summary = stage.run_in_no_time(monkeypatch)
    assert (summary.exit, stage.provider.submits, program.billed()) == (Exit.UNKNOWN, [], [])


def test_a_claim_that_makes_no_sense_keeps_its_job_and_no_other(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = machines
    opened(one.operator.store, files=True).put(f"inflight/{job(one).key}.json", b"nonsense")
    summary = one.run_in_no_time(monkeypatch)
    assert (summary.exit, len(one.provider.bill)) == (Exit.EARLY, 2)
    assert any("makes no sense" in issue.message for issue in summary.issues)


@pytest.fixture
def named(machines: list[Stage]) -> list[Stage]:
    """Their provider takes our name for a call."""
    for stage in machines:
        stage.recipe(shades=[0])
        stage.settle(Settlement("key", 86_400.0), NamedBackend)
        stage.provider.mode = "v2"
    return machines


def test_a_doubt_that_the_run_itself_settles_is_published_at_once(
    named: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine may be gone after this run, and nobody else could ever have the result."""
    one, two = named
    one.provider.on_answer = _once(FailureKind.UNKNOWN, Billed.UNKNOWN)
    assert one.run_in_no_time(monkeypatch).exit is Exit.OK
    assert not list(claims_in(one).all())
    assert two.run_in_no_time(monkeypatch).exit is Exit.OK
    assert (len(one.provider.bill), two.provider.bill, len(two.images())) == (1, [], 1)


def test_a_doubt_that_turns_out_unbilled_frees_the_job_for_others(
    named: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = named
    answers = [fails(FailureKind.UNKNOWN, Billed.UNKNOWN), fails(FailureKind.JOB_FAILED)]

    def answer(*_: object) -> None:
        raise answers.pop(0)

    one.provider.on_submit = answer
    assert one.run_in_no_time(monkeypatch).exit is Exit.JOBS_FAILED
    assert not list(claims_in(one).all())
    assert two.run_in_no_time(monkeypatch).exit is Exit.OK
    assert len(bill(named)) == 1


@pytest.mark.parametrize("finished", [True, False])
def test_where_the_store_is_only_read_a_call_is_not_sent_again_for_another_s_job(
    named: list[Stage], monkeypatch: pytest.MonkeyPatch, finished: bool
) -> None:
    """A person gave the first machine's claim away, so the job may have been bought under another name."""
    one, two = named
    one.provider.on_submit = cut
    assert one.run_in_no_time(monkeypatch).exit is Exit.UNKNOWN
    claims_in(one).delete(job(one).key)
    if finished:
        assert two.run_in_no_time(monkeypatch).exit is Exit.OK
    else:
        put(one)
    one.operator = replace(one.operator, store_writes=False)
    one.provider.on_submit = lambda *_: None
    assert one.run_in_no_time(monkeypatch).exit is Exit.UNKNOWN
    assert one.provider.bill == []


def test_two_copies_of_one_state_that_take_an_old_claim_over_buy_the_job_once(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when two jobs of CI start from the same cache: to both, the claim is their own."""
    one, two = machines
    for stage in machines:
        stage.recipe(shades=[0])
        stage.provider.seconds = 5.0
    one.provider.on_submit = cut
    one.run_in_no_time(monkeypatch)
    with open_state(one.state_dir, "a test") as state:
        decide(one.state_dir, state.ledger, Decision.RESUBMIT, PRICE)
    shutil.copytree(one.folder / ".relightflow", two.folder / ".relightflow")
    one.provider.on_submit = lambda *_: None
    real = SharedStoreClient.claim_of

    async def slowly(self: SharedStoreClient, label: Any) -> JobClaim | None:
        found = await real(self, label)
        await asyncio.sleep(0.5)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(SharedStoreClient, "claim_of", slowly)
        assert together(patch, machines) == [Exit.OK, Exit.OK]
    assert len(bill(machines)) == 1
    assert [len(stage.images()) for stage in machines] == [1, 1]


def test_a_process_killed_while_it_takes_its_old_claim_over_goes_on_later(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = machines
    one.recipe(shades=[0])
    one.provider.on_submit = cut
    one.run_in_no_time(monkeypatch)
    with open_state(one.state_dir, "a test") as state:
        decide(one.state_dir, state.ledger, Decision.RESUBMIT, PRICE)
    one.provider.on_submit = lambda *_: None
    away = ObjectFault(Reason.PASSING, "s3://bucket/", "out of reach")
    with monkeypatch.context() as patch:
        patch.setattr(Claims, "put", _raising(away))
        patch.setattr(Claims, "drop_takeover", _raising(away))
        assert one.run_in_no_time(monkeypatch).exit is Exit.EARLY
    assert one.provider.bill == []
    assert one.run_in_no_time(monkeypatch).exit is Exit.OK
    assert len(one.provider.bill) == 1
    store = opened(one.operator.store, files=True)
    assert not [*store.list("inflight"), *store.list("takeover")]


def _once(kind: FailureKind, billed: Billed = Billed.NO) -> Callable[..., None]:
    """The first call ends so, the others as usual."""

    def fail(_: object, number: int) -> None:
        if number == 0:
            raise fails(kind, billed)

    return fail


def _failing(kind: FailureKind, billed: Billed = Billed.NO, **facts: Any) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise fails(kind, billed, **facts)

    return fail


def _raising(fault: ObjectFault) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise fault

    return fail
