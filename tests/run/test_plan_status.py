from __future__ import annotations

from pathlib import Path

import pytest

from relightflow import api
from relightflow.errors import StorageError
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.plugins.records import OperatorPolicy
from tests.conftest import Stage, make_store
from tests.scripted_backend import fails


@pytest.fixture
def machines(tmp_path: Path) -> list[Stage]:
    """Two with disks of their own and one store."""
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        stage = Stage(tmp_path / name)
        stage.image("a.png", "the same on both")
        stage.recipe(shades=[0, 1, 2])
        stage.operator = OperatorPolicy(store=make_store(f"file://{tmp_path}/store"))
        made.append(stage)
    return made


def test_what_the_shared_store_has_is_not_to_be_bought(machines: list[Stage]) -> None:
    one, two = machines
    one.recipe(shades=[0, 1])
    one.run()
    found = api.plan_status(two.plan(), two.state_dir, two.operator)
    assert (found.new, found.shared, found.done) == (1, 2, 0)
    assert found.price is not None
    assert found.price.high == 50_000
    assert not two.state_dir.root.exists(), "nothing is taken over by looking"
    assert api.plan_status(two.plan(), two.state_dir).new == 3, "unless nobody names the store"


@pytest.mark.parametrize("there", [True, False])
def test_a_place_that_is_no_store_has_no_price(stage: Stage, tmp_path: Path, there: bool) -> None:
    """A share that is not mounted, or a typo: the price would be that of everything."""
    if there:
        (tmp_path / "share").mkdir()
    operator = OperatorPolicy(store=f"file://{tmp_path}/share")
    with pytest.raises(StorageError, match="relightflow store init"):
        api.plan_status(stage.plan(), stage.state_dir, operator)
    assert not list(tmp_path.glob("share/*"))


def test_what_another_machine_has_claimed_is_not_priced(
    machines: list[Stage], tmp_path: Path
) -> None:
    one, two = machines
    one.provider.on_submit = _cut
    one.run()
    assert one.states() == [State.UNKNOWN] * 3
    found = api.plan_status(two.plan(), two.state_dir, two.operator)
    assert (found.new, found.collect) == (0, 3)


def _cut(*_: object) -> None:
    raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)


def test_offline_the_store_is_not_asked(machines: list[Stage]) -> None:
    one, two = machines
    one.run()
    offline = OperatorPolicy(store=two.operator.store, offline=True)
    assert api.plan_status(two.plan(), two.state_dir, offline).new == 3


def test_a_plan_writes_nothing_where_there_is_no_state(stage: Stage) -> None:
    before = sorted(stage.folder.rglob("*"))
    plan_status = api.plan_status(stage.plan(), stage.state_dir)
    assert (plan_status.new, plan_status.done) == (1, 0)
    assert sorted(stage.folder.rglob("*")) == before


def test_a_plan_beside_a_state_changes_nothing_but_its_cache(stage: Stage) -> None:
    stage.run()
    files = {p: p.read_bytes() for p in stage.folder.rglob("*") if p.is_file()}
    plan_status = api.plan_status(stage.plan(), stage.state_dir)
    assert (plan_status.new, plan_status.done) == (0, 1)
    now = {p: p.read_bytes() for p in stage.folder.rglob("*") if p.is_file()}
    added = {p for p in now if p not in files}
    assert {p: now[p] for p in files} == files
    ours = {
        p
        for p in added
        if p.parent == stage.state_dir.cache or p.name.startswith("ledger.sqlite3-")
    }
    assert added == ours  # a reader of a ledger in WAL mode leaves its two empty helpers


def test_a_lost_ledger_beside_blobs_is_refused_and_says_how_to_go_on(stage: Stage) -> None:
    stage.run()
    for path in stage.state_dir.root.glob("ledger.sqlite3*"):
        path.unlink()
    with pytest.raises(StorageError, match="relightflow rebuild"):
        stage.run()
    with pytest.raises(StorageError, match="relightflow rebuild"):  # no price for what is paid for
        api.plan_status(stage.plan(), stage.state_dir)
    assert len(stage.provider.submits) == 1
