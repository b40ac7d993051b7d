"""A cap or a budget holds for machines that vanish: the store knows what they paid."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import pytest

from relightflow import api
from relightflow.errors import Exit
from relightflow.ledger.reader import Reader
from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.reservation import Reservation, Reserved
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import DAY, Kind, SpendLimit
from relightflow.run import run_opening
from relightflow.run.shared.costs import came_to, store_spending
from relightflow.store.costs import StoreCharge
from relightflow.store.shared import StoreRecords
from relightflow.testing import clock
from tests.conftest import Stage
from tests.run.shared.conftest import under_way
from tests.scripted_backend import PRICE, fails

LONG = 400 * DAY
"""The ledger's clock is a real one, which is some months behind the virtual one."""


def cost(attempt: str, **facts: Any) -> StoreCharge:
    made = {"recipe": "demo", "at": 100, "key": "a" * 64, "cost": PRICE, "least": PRICE}
    return StoreCharge(attempt=attempt * 32, **{**made, **facts})


def claim(attempt: str, state: State = State.INTENT) -> JobClaim:
    return JobClaim(attempt * 64, state, attempt * 32, "r", "m", 200.0, PRICE, recipe="demo")


def test_each_call_counts_once_whether_it_is_claimed_or_paid() -> None:
    costs = (cost("1"), cost("2", at=50), cost("2", at=60), cost("3", cost=1, least=7))
    claims = (claim("3"), claim("4"), claim("5", State.FAILED))
    found = store_spending(StoreRecords(claims=claims, costs=costs), Reader(None))
    assert [(c.at, c.kind, c.counted) for c in found.windows] == [
        (50.0, Kind.SPENT, PRICE), (100.0, Kind.SPENT, PRICE), (100.0, Kind.SPENT, 7),
        (200.0, Kind.IN_FLIGHT, PRICE), (200.0, Kind.SPENT, PRICE),
    ]  # fmt: skip
    assert found.caps == found.windows
    assert list(found.claimed) == ["4" * 64]
    assert len({c.attempt for c in found.windows}) == 5
    assert all(c.attempt < 0 for c in found.windows)


def test_what_came_of_a_reservation_is_told_by_model_where_that_is_known() -> None:
    name = "e" * 32
    costs = (
        cost("1", model="glow", reservation=name), cost("2", reservation=name), cost("3", model="glow")
    )  # fmt: skip
    claims = [replace(claim(of), model="dear", reservation=name) for of in ("1", "4")]
    every, parts = came_to(name, costs, claims)
    assert (every, parts) == (7 * PRICE // 2, {"glow": PRICE, "dear": 3 * PRICE // 2})


def test_a_cap_of_one_model_counts_its_calls_and_those_that_nobody_knows_the_model_of() -> None:
    other = Reservation("e" * 32, "run-9", "m", "demo", 0.0, 9 * PRICE, {"glow": 4 * PRICE})
    costs = (cost("1", model="glow"), cost("2"), cost("3", model="dear"))
    records = StoreRecords(Reserved(1, (other,)), (replace(claim("4"), model="dear"),), costs)
    found = store_spending(records, Reader(None))
    names = frozenset({"demo"})
    assert [len(found.caps_of(model)) for model in ("glow", "dear", "other")] == [2, 3, 1]
    assert [found.reserved_for(names, model) for model in ("", "glow", "dear")] == [
        9 * PRICE, 4 * PRICE, 0,
    ]  # fmt: skip


@pytest.mark.parametrize("window", [None, LONG])
def test_a_limit_holds_for_machines_that_vanished(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch, window: float | None
) -> None:
    """Each CI job has a new disk and makes other images of one recipe, or other recipes."""
    one, two = machines
    limit = SpendLimit(3 * PRICE, "--max-cost" if window is None else "--budget", window)
    one.recipe(shades=[0, 1])
    assert one.run_in_no_time(monkeypatch, limits=(limit,)).exit is Exit.OK
    shutil.rmtree(one.folder)
    two.recipe(shades=[2, 3])
    seen = api.estimate_cost(
        two.plan(), api.plan_status(two.plan(), two.state_dir), RunOptions(limits=(limit,)),
        two.state_dir, two.operator,
    )  # fmt: skip
    assert [(status.committed, seen.enough) for status in seen.limits] == [(2 * PRICE, False)]
    summary = two.run_in_no_time(monkeypatch, limits=(limit,))
    assert summary.exit is Exit.BUDGET
    assert len(two.provider.bill) == 1


def test_a_budget_counts_what_its_own_ledger_knows_once(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own purchases are in the store too, and what it adopted counts against a cap once."""
    one, two = machines
    limits = (SpendLimit(4 * PRICE, "--max-cost"), SpendLimit(4 * PRICE, "--budget", LONG))
    assert one.run_in_no_time(monkeypatch, limits=limits).exit is Exit.OK
    assert two.run_in_no_time(monkeypatch, limits=limits).exit is Exit.OK
    for stage in machines:
        stage.recipe(shades=[0, 1, 2, 3])
    assert two.run_in_no_time(monkeypatch, limits=limits).exit is Exit.OK
    assert len(two.provider.bill) == 1
    one.recipe(shades=[0, 1, 2, 3, 4])
    assert one.run_in_no_time(monkeypatch, limits=limits).exit is Exit.BUDGET
    assert len(one.provider.bill) == 3


@pytest.mark.parametrize(("paid", "calls"), [(True, 4), (False, 5)])
def test_a_call_without_an_image_counts_for_others(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch, paid: bool, calls: int
) -> None:
    """Paid, or unknown: then two of three may have cost half as much again."""
    one, two = machines

    def fail(*_: object) -> None:
        if paid:
            raise fails(FailureKind.BAD_RESULT, Billed.YES, cost=PRICE)
        raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    one.provider.on_submit = fail
    one.run_in_no_time(monkeypatch)
    two.recipe(shades=[7, 8])
    limits = (SpendLimit(calls * PRICE, "--budget", LONG),)
    assert two.run_in_no_time(monkeypatch, limits=limits).exit is Exit.BUDGET
    assert len(two.provider.bill) == 1


@pytest.mark.parametrize("window", [None, LONG])
def test_a_held_call_that_its_owner_finished_goes_on_counting(
    machines: list[Stage], monkeypatch: pytest.MonkeyPatch, window: float | None
) -> None:
    """In the run that hears of it, and in every later one."""
    one, two = machines
    limit = SpendLimit(2 * PRICE, "--max-cost" if window is None else "--budget", window)
    for stage in machines:
        stage.recipe(shades=[0])
    monkeypatch.setattr(run_opening, "RealClock", clock.VirtualClock)

    async def both(_: object) -> None:
        async with under_way(one) as first:
            assert (await two.go()).exit is Exit.UNKNOWN
        assert (await first).exit is Exit.OK

    clock.run(both)
    two.recipe(shades=[0, 5, 6])
    for _ in range(2):
        summary = two.run_in_no_time(monkeypatch, limits=(limit,))
        assert summary.exit is Exit.BUDGET
        assert len(two.provider.bill) == 1
    assert summary.money.spent == 0
