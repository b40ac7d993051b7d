"""A limit holds for machines that run at once: what they buy is reserved in the store first."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from relightflow import api
from relightflow.errors import Exit, StorageError
from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.reservation import Reservation, Reserved
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import DAY, SpendLimit
from relightflow.objects.bucket import Bucket, opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.plan.outputs import jobs
from relightflow.plugins.backend import Call
from relightflow.plugins.registry import Loaded
from relightflow.run.limits.budget import Budget, Room
from relightflow.run.shared.reservation import RunReservation
from relightflow.store import reservations
from relightflow.store.claims import Claims
from relightflow.store.index_entry import job_facts
from relightflow.store.reservations import Reservations
from tests.conftest import Stage
from tests.run.shared.test_claims import bill, together
from tests.scripted_backend import PRICE, Provider, record

LONG = 400 * DAY


@pytest.fixture
def three(tmp_path: Path, machines: list[Stage]) -> list[Stage]:
    (tmp_path / "three").mkdir()
    third = Stage(tmp_path / "three")
    third.image("a.png", "the same on both")
    third.operator = machines[0].operator
    return [*machines, third]


def bucket(stage: Stage) -> Bucket:
    return opened(stage.operator.store, files=True)


def reserved(stage: Stage) -> Reserved:
    return Reservations(bucket(stage)).latest()


def vanished(stage: Stage, amount: int = 4 * PRICE, run: str = "run-9") -> Reservation:
    """A machine that reserved `amount` and was never heard of again."""
    one = Reservation("e" * 32, run, "host-9", "demo", 100.0, amount)
    assert Reservations(bucket(stage)).create(reserved(stage).with_open(one, "f" * 32))
    return one


@pytest.mark.parametrize("window", [None, LONG])
@pytest.mark.parametrize("calls", [1, 2, 7, 20])
def test_machines_started_at_once_stay_within_one_limit_and_use_it_up(
    three: list[Stage], monkeypatch: pytest.MonkeyPatch, window: float | None, calls: int
) -> None:
    """Each wants other jobs of the recipe, and all of them far more than the limit allows."""
    for number, stage in enumerate(three):
        stage.recipe(shades=list(range(20 * number, 20 * number + 20)))
        stage.provider.seconds = 0.5
    limit = SpendLimit(calls * PRICE, "--max-cost" if window is None else "--budget", window)
    assert together(monkeypatch, three, limits=(limit,)) == [Exit.BUDGET] * 3
    assert len(bill(three)) == calls
    assert reserved(three[0]).open == ()


def test_a_machine_that_was_suspended_past_deleted_states_counts_what_others_did_meanwhile(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its next state's number is free again. Others have spent 4 of 9 calls, and deleted what they wrote."""
    monkeypatch.setattr(reservations, "_BLOCK", 2)
    one, _ = machines
    one.recipe(shades=list(range(9)), concurrency=1)
    store = Reservations(bucket(one))

    def others(_: Call, number: int) -> None:
        if number == 1:
            for _step in range(4):
                state = store.latest()
                other = Reservation("e" * 32, "run-9", "host-9", "demo", 100.0, PRICE)
                assert store.create(state.with_open(other, uuid4().hex))
                assert store.create(store.latest().without(other, PRICE, uuid4().hex, {}))

    one.provider.on_submit = others
    limit = SpendLimit(9 * PRICE, "--max-cost")
    assert one.run_in_no_time(monkeypatch, limits=(limit,)).exit is Exit.BUDGET
    assert len(one.provider.bill) == 5
    assert reserved(one).open == ()


def atelier(stage: Stage, shades: list[int], calls: int) -> Provider:
    """The recipe is bought of a second backend too, which may be called for the price of `calls`."""
    other = Provider()
    other.seconds = 0.5
    made = Loaded(replace(record(other), name="atelier"), "test")
    stage.registry = replace(stage.registry, backends={**stage.registry.backends, "atelier": made})
    name = "{image.stem}-{backend}-{shade}.{ext}"
    stage.recipe(shades, sinks=[{"type": "directory", "path": "out/", "name": name}])
    backends = [
        {"type": "studio"},
        {"type": "atelier", "limits": {"max_cost": calls * PRICE / 1e6}},
    ]
    text = stage.path.read_text()
    old = next(line for line in text.splitlines() if line.startswith("backend:"))
    stage.path.write_text(text.replace(old, f"backend: {json.dumps(backends)}"))
    return other


@pytest.mark.parametrize("calls", [1, 2, 7])
def test_a_backends_own_cap_holds_for_machines_that_run_at_once(
    three: list[Stage], monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """And stops that backend alone, on each machine, then and in every later run."""
    others = []
    for number, stage in enumerate(three):
        others.append(atelier(stage, list(range(8 * number, 8 * number + 8)), calls))
        stage.provider.seconds = 0.5
    limit = SpendLimit(100 * PRICE, "--max-cost")
    for _ in range(2):
        assert together(monkeypatch, three, limits=(limit,)) == [Exit.BUDGET] * 3
        assert sum(len(other.bill) for other in others) == calls
        assert len(bill(three)) == 24
        assert reserved(three[0]).open == ()


def test_a_backends_own_cap_counts_what_machines_paid_that_are_gone(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of that backend alone, and in a plan too."""
    one, two = machines
    first, second = atelier(one, [0, 1], 3), atelier(two, [2, 3], 3)
    one.run_in_no_time(monkeypatch)
    assert (len(first.bill), len(one.provider.bill)) == (2, 2)
    shutil.rmtree(one.folder)
    limits = (SpendLimit(100 * PRICE, "--max-cost"),)
    seen = api.estimate_cost(
        two.plan(), api.plan_status(two.plan(), two.state_dir), RunOptions(limits=limits),
        two.state_dir, two.operator,
    )  # fmt: skip
    assert [found.share.left for found in seen.backends if found.share] == [PRICE]
    assert two.run_in_no_time(monkeypatch).exit is Exit.BUDGET
    assert (len(second.bill), len(two.provider.bill)) == (1, 2)


def test_of_a_reservation_that_is_ended_for_its_machine_a_backend_counts_its_own_calls(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vanished machine had reserved the backend's whole cap and made one call of it."""
    one, two = machines
    atelier(one, [99], 4)
    second = atelier(two, [1, 2, 3, 4, 5], 4)
    gone = vanished(one)
    job = next(job for job in jobs(one.plan()) if job.backend == "atelier")
    claim = JobClaim(
        job.key, State.INTENT, "d" * 32, "r", "m", 0.0, PRICE, recipe="demo", reservation=gone.id
    )
    Claims(bucket(one)).put(job_facts(job, PRICE), claim)
    assert two.run_in_no_time(monkeypatch).exit is Exit.BUDGET
    assert len(second.bill) == 2, "it may have cost half as much again"
    assert len(two.provider.bill) == 5
    assert two.run_in_no_time(monkeypatch).exit is Exit.BUDGET
    assert len(second.bill) == 3


def test_a_limit_of_exactly_the_price_buys_the_whole_plan(
    three: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stage in three:
        stage.recipe(shades=list(range(24)))
        stage.provider.seconds = 0.5
    limit = SpendLimit(24 * PRICE, "--max-cost")
    assert together(monkeypatch, three, limits=(limit,)) == [Exit.OK] * 3
    assert len(bill(three)) == len(set(bill(three))) == 24


def test_of_a_machine_that_vanished_only_the_calls_it_made_go_on_counting(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reserved everything, and made one call. The next run counts that as any other doubt."""
    one, two = machines
    gone = vanished(one)
    one.recipe(shades=[99])
    job = next(jobs(one.plan()))
    facts = ("r", "m", 0.0, PRICE)
    claim = JobClaim(job.key, State.INTENT, "d" * 32, *facts, recipe="demo", reservation=gone.id)
    Claims(bucket(one)).put(job_facts(job, PRICE), claim)
    two.recipe(shades=[1, 2, 3, 4, 5])
    limits = (SpendLimit(4 * PRICE, "--max-cost"),)
    seen = api.estimate_cost(
        two.plan(), api.plan_status(two.plan(), two.state_dir), RunOptions(limits=limits),
        two.state_dir, two.operator,
    )  # fmt: skip
    assert [limit.left for limit in seen.limits] == [0]
    assert two.run_in_no_time(monkeypatch, limits=limits).exit is Exit.BUDGET
    assert len(two.provider.bill) == 2, "it may have cost half as much again"
    assert reserved(two).open == ()
    assert two.run_in_no_time(monkeypatch, limits=limits).exit is Exit.BUDGET
    assert len(two.provider.bill) == 3


def test_a_machine_that_only_was_slow_reserves_anew(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call leaves under a reservation that another machine has ended."""
    one, _ = machines
    one.recipe(shades=[0, 1, 2, 3], concurrency=1)
    store, under = Reservations(bucket(one)), []

    def end(call: Call, _: int) -> None:
        claim = Claims(bucket(one)).of(job_facts(call.job, PRICE))
        assert claim
        assert not store.is_ended(claim.reservation)
        under.append(claim.reservation)
        if len(under) < 3:
            store.end(claim.reservation)
        if len(under) == 1:  # and was faster with the rest of it too
            state = store.latest()
            store.create(state.without(state.open[0], PRICE, "f" * 32, {}))

    one.provider.on_submit = end
    limit = SpendLimit(4 * PRICE, "--max-cost")
    assert one.run_in_no_time(monkeypatch, limits=(limit,)).exit is Exit.OK
    assert len(one.provider.bill) == 4
    assert len(set(under)) == 3
    assert not list(Claims(bucket(one)).all())


def test_what_a_killed_run_of_the_same_state_had_reserved_is_free_at_once(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = machines
    limit = SpendLimit(6 * PRICE, "--max-cost")
    ended = one.run_in_no_time(monkeypatch, limits=(limit,))
    vanished(one, 9 * PRICE, Path(ended.manifest).parent.name)
    one.recipe(shades=[5, 6, 7])
    monkeypatch.setattr(RunReservation, "wait", None)
    assert one.run_in_no_time(monkeypatch, limits=(limit,)).exit is Exit.OK
    assert Reservations(bucket(one)).is_ended("e" * 32)


@pytest.mark.parametrize("written", [True, False])
def test_where_it_cannot_be_reserved_nothing_is_bought(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    """A lost answer is read back."""
    one, _ = machines
    real = Bucket.put

    def put(self: Bucket, path: str, *args: Any, **options: Any) -> str:
        if path.startswith("reservations/"):
            if written:
                real(self, path, *args, **options)
            raise ObjectFault(Reason.PASSING, path, "out of reach")
        return real(self, path, *args, **options)

    monkeypatch.setattr(Bucket, "put", put)
    assert one.run_in_no_time(monkeypatch).exit is (Exit.OK if written else Exit.EARLY)
    assert len(one.provider.bill) == (3 if written else 0)


@pytest.mark.parametrize("planted", [b"{}", b'{"format":1,"open":[],"ended":{"demo":NaN}}'])
def test_a_damaged_state_stops_the_run_before_it_buys(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch, planted: bytes
) -> None:
    one, _ = machines
    bucket(one).put(f"reservations/{7:012}.json", planted)
    with pytest.raises(StorageError, match=r"000007\.json is damaged"):
        one.run_in_no_time(monkeypatch)
    assert one.provider.submits == []


def test_a_store_that_is_only_read_reserves_nothing(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = machines
    one.operator = replace(one.operator, store_writes=False)
    assert one.run_in_no_time(monkeypatch).exit is Exit.OK
    assert reserved(one).number == 0


def test_while_a_reservation_is_given_back_no_call_begins_under_it(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it came to is told then, so a call that began meanwhile would be counted by nobody."""
    one, _ = machines
    one.recipe(shades=[0, 1], concurrency=1)
    real, began = Reservations.create, list[bool]()
    budgets = list[Budget]()
    begin = RunReservation.begin

    def keep(self: RunReservation, budget: Budget, spending: Any) -> None:
        budgets.append(budget)
        begin(self, budget, spending)

    def create(self: Reservations, state: Reserved) -> bool:
        if not state.open:
            assert budgets[0].room() is Room.YES
            began.append(budgets[0].reserve("one more"))
        return real(self, state)

    monkeypatch.setattr(RunReservation, "begin", keep)
    monkeypatch.setattr(Reservations, "create", create)
    assert one.run_in_no_time(monkeypatch).exit is Exit.OK
    assert began == [False]
