"""Issue 9, section 1: a ledger that is older than the store, or gone."""

from __future__ import annotations

import shutil
import sqlite3

import pytest

from tests.world.harness import KILLED, World

pytestmark = pytest.mark.parametrize("protocol", ["v2", "v1"])


@pytest.fixture
def world(world: World, protocol: str) -> World:
    world.provider.behaviour.protocol = protocol
    world.recipe()
    return world


def assert_nothing_was_bought(world: World, jobs: int = 4) -> None:
    """Restored and delivered, or refused with 6: never bought."""
    said = world.run()
    assert said.code in (0, 6), world.story()
    assert len(world.provider.bill) == jobs, world.story()
    world.assert_paid_once()


def test_an_old_ledger_put_back_buys_nothing(world: World, protocol: str) -> None:
    world.run("--limit", "1")
    backup = world.copy_state()
    world.run()
    world.put_back(backup, "ledger.sqlite3")
    shutil.rmtree(world.out)
    assert_nothing_was_bought(world)


def test_a_ledger_without_its_wal_buys_nothing(world: World, protocol: str) -> None:
    world.run("--limit", "1")
    world.provider.behaviour.fates[4] = "kill answered"
    assert world.run().code == KILLED
    for path in world.ledger_files():
        if path.name != "ledger.sqlite3":
            path.unlink()
    world.settle()
    assert len(world.provider.bill) == 4, world.story()
    world.assert_paid_once()


def test_a_call_under_way_survives_an_old_ledger(world: World, protocol: str) -> None:
    world.run("--limit", "1")
    backup = world.copy_state()
    world.provider.behaviour.fates[3] = "kill fetched"
    assert world.run().code == KILLED
    world.put_back(backup, "ledger.sqlite3")
    world.settle()
    world.assert_paid_once()


def test_a_lost_ledger_buys_nothing(world: World, protocol: str) -> None:
    world.run()
    for path in world.ledger_files():
        path.unlink()
    assert_nothing_was_bought(world)


def test_an_old_ledger_and_gc_lose_no_paid_result(world: World, protocol: str) -> None:
    world.run("--limit", "1")
    backup = world.copy_state()
    world.run()
    world.put_back(backup, "ledger.sqlite3")
    world.command("gc", "recipe.yaml", "--delete")
    shutil.rmtree(world.out)
    world.settle(runs=2)
    world.assert_complete(4)


def test_a_backup_is_consistent_and_buys_nothing(world: World, protocol: str) -> None:
    world.run("--limit", "2")
    copy = world.folder / "ledger-copy"
    assert world.command("backup", str(copy)).code == 0, world.story()
    with sqlite3.connect(copy) as ledger:
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
    world.run()
    for path in world.ledger_files():
        path.unlink()
    shutil.copy2(copy, world.state / "ledger.sqlite3")
    assert_nothing_was_bought(world)


def test_gc_takes_no_paid_result_unless_told_to(world: World, protocol: str) -> None:
    world.run()
    other = world.recipe(name="other.yaml", matrix={"light_direction": "top"})
    listed = world.command("gc", other.name, "--delete")
    assert "0.20" in listed.text, world.story()
    shutil.rmtree(world.out)
    assert world.run().code == 0
    world.assert_complete(4)
    world.command("gc", other.name, "--paid", "--delete")
    assert not [path for path in world.state.glob("blobs/??/*") if path.is_file()], world.story()


def test_a_lost_store_is_fetched_again_not_bought(world: World, protocol: str) -> None:
    world.run()
    shutil.rmtree(world.state / "blobs")
    shutil.rmtree(world.out)
    world.settle(runs=2)
    assert len(world.provider.bill) == 4, world.story()
    world.assert_paid_once()
