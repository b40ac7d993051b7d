from __future__ import annotations

from dataclasses import replace

import pytest

from relightflow.maintenance.store_status import runs_in, store_status
from relightflow.model.attempt import State
from relightflow.model.reservation import Reservation, Reserved
from relightflow.model.store_status import RunShare
from relightflow.objects.bucket import opened
from relightflow.store.costs import StoreCharge
from relightflow.store.shared import SharedStore, StoreRecords
from tests.conftest import Stage
from tests.run.shared.conftest import machines, store  # noqa: F401  fixtures
from tests.scripted_backend import PRICE
from tests.store.test_claims import claim

ONE = StoreCharge("spring", 100, "a" * 64, "1" * 32, 50, 60, "e" * 32, "run-1", "host-1")
RESERVED = Reservation("e" * 32, "run-1", "host.1", "spring", 90.0, 500)


def test_each_call_is_one_run_s_and_what_it_reserved_counts_beside_it() -> None:
    costs = (ONE, ONE, replace(ONE, attempt="2" * 32, machine="host-2", run="run-2", at=300))
    mine = replace(
        claim(), attempt="3" * 32, machine="host.1", run="run-1", recipe="spring", price=70, at=200.0,
        reservation="e" * 32,
    )  # fmt: skip
    failed = replace(mine, attempt="1" * 32, state=State.FAILED)
    records = StoreRecords(Reserved(1, (RESERVED,)), (mine, failed), costs)
    first, second = runs_in(records)
    assert first == RunShare("host-2", "run-2", "spring", 1, 50, last=300.0)
    reserved = 500 - 2 * 60 - 70
    assert (second.calls, second.claims, second.claimed, second.last) == (1, 1, 70, 200.0)
    assert second.machine == "host-1"
    assert second.reserved == reserved


def test_a_store_says_who_bought_what(
    machines: list[Stage],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = machines
    made = [one.run_in_no_time(monkeypatch)]
    two.recipe(shades=[2, 3])
    made.append(two.run_in_no_time(monkeypatch))
    found = store_status(SharedStore(opened(one.operator.store, files=True)))
    assert (found.results, found.atomic) == (4, True)
    assert (found.total.calls, found.total.paid, found.total.reserved) == (4, 4 * PRICE, 0)
    assert {run.run: run.calls for run in found.runs} == {
        made[0].run_id: 3, made[1].run_id: 1,
    }  # fmt: skip
    assert all(run.machine for run in found.runs)
