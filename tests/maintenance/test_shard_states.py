"""A shard's state may be a stranger's artifact: what it cannot have made is refused, and then nothing is
written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from relightflow.errors import Exit, RefusedError, StorageError, UsageError
from relightflow.maintenance.shard_states import read_shards
from relightflow.run.sharding import NAME
from tests.conftest import Stage
from tests.shards import change, plan_of, run_shard, state_of, unite

OTHER = "f" * 64


@pytest.fixture
def sharded(stage: Stage) -> Stage:
    stage.recipe(list(range(8)))
    for number in (1, 2):
        run_shard(stage, number, 2)
    return stage


def refused(stage: Stage, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        unite(stage)
    assert not stage.state_dir.ledger.exists()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (f"UPDATE attempt SET job_key = '{OTHER}' WHERE id = 1", "its key is not that of"),
        ("UPDATE attempt SET parameters = '{\"shade\":99}' WHERE id = 1", "its key is not that of"),
        ("UPDATE attempt SET model = 'gift' WHERE id = 1", "its key is not that of"),
        (f"UPDATE attempt SET image_sha256 = '{OTHER}' WHERE id = 1", "its key is not that of"),
        ("UPDATE attempt SET price = 0, billed = 'no'", "it says that a paid model was free"),
        ("UPDATE run SET recipe = 'another'", "it was made for another recipe"),
    ],
)
def test_an_attempt_that_the_shard_cannot_have_made_is_refused(
    sharded: Stage, sql: str, words: str
) -> None:
    with change(state_of(sharded, 2)) as db:
        db.execute(sql)
    refused(sharded, words)


def test_a_job_of_another_shard_is_refused(sharded: Stage) -> None:
    path = state_of(sharded, 2).root / NAME
    path.write_text(path.read_text().replace('"shard":2', '"shard":1'))
    refused(sharded, "it is not in shard 1/2")


def test_a_job_that_is_not_in_the_plan_is_refused(sharded: Stage) -> None:
    """The record says that it is of the plan that is merged."""
    records = [state_of(sharded, number).root / NAME for number in (1, 2)]
    sharded.recipe(list(range(4)))
    plan_of_four = sharded.folder / "shard-four"
    run_shard(sharded, 1, 2, type(state_of(sharded, 1))(plan_of_four))
    document = json.loads((plan_of_four / NAME).read_text())
    for path in records:
        path.write_text(json.dumps({**json.loads(path.read_text()), "plans": document["plans"]}))
    refused(sharded, "it is not in the plan")


def test_shards_of_another_plan_are_refused(sharded: Stage) -> None:
    sharded.recipe(list(range(9)))
    refused(sharded, "shard of another plan of 'demo'")


def test_shards_of_another_recipe_are_refused(sharded: Stage) -> None:
    text = sharded.path.read_text()
    sharded.path.write_text(text.replace("demo", "other").replace("0, 1", "0, 100"))
    refused(sharded, "also holds shards of 'demo'")


def test_parts_of_different_divisions_are_refused(sharded: Stage) -> None:
    run_shard(sharded, 3, 3)
    refused(sharded, "different divisions")


def test_a_state_that_is_no_shards_is_refused(sharded: Stage) -> None:
    (state_of(sharded, 1).root / NAME).unlink()
    refused(sharded, "is not the state of a shard")


def test_a_folder_that_is_not_there_is_named(sharded: Stage) -> None:
    with pytest.raises(UsageError, match="shard-9: no such folder"):
        unite(sharded, [sharded.folder / "shard-9"])


def test_a_ledger_with_a_trigger_of_its_own_is_refused(sharded: Stage) -> None:
    with change(state_of(sharded, 1)) as db:
        db.execute("CREATE TRIGGER x AFTER INSERT ON run BEGIN DELETE FROM memory; END")
    refused(sharded, "its structure is not relightflow's")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE attempt SET cost = -5",
        "UPDATE attempt SET price = 9007199254740993",
        "UPDATE attempt SET created = 1e300",
        "UPDATE attempt SET floor = -1",
        "UPDATE attempt SET details = '[]'",
        "UPDATE attempt SET details = '{\"x\":NaN}'",
        "UPDATE attempt SET state = 'PAID_IN_FULL'",
        "UPDATE attempt SET kind = 'odd'",
        "UPDATE attempt SET billed = 'perhaps'",
        "UPDATE attempt SET width = -1",
    ],
)
def test_values_that_cannot_be_are_refused(sharded: Stage, sql: str) -> None:
    with change(state_of(sharded, 1)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("DROP TRIGGER attempt_moves_legally")
        db.execute(sql)
        db.execute(_moves_trigger())
    with pytest.raises(StorageError, match="cannot be used"):
        unite(sharded)
    assert not sharded.state_dir.ledger.exists()


def _moves_trigger() -> str:
    from relightflow.ledger.schema import MOVES_TRIGGER

    return MOVES_TRIGGER.strip().removesuffix(";")


def test_a_link_among_a_states_files_is_refused(sharded: Stage) -> None:
    ledger = state_of(sharded, 1).ledger
    moved = shutil.move(ledger, sharded.folder / "elsewhere")
    ledger.symlink_to(moved)
    refused(sharded, "symbolic link")


def test_a_ledger_that_is_no_database_is_refused(sharded: Stage) -> None:
    state_of(sharded, 1).ledger.write_bytes(b"PK\x03\x04 another artifact" * 100)
    with pytest.raises(StorageError, match="cannot be used"):
        unite(sharded)


def test_a_shard_is_read_with_how_its_last_run_ended(sharded: Stage) -> None:
    plan = plan_of(sharded, sharded.state_dir, None)
    folders: list[Path] = [state_of(sharded, number).root for number in (1, 2)]
    found = read_shards([plan], folders)
    assert [(str(one.shard), one.exit) for one in found] == [("1/2", Exit.OK), ("2/2", Exit.OK)]
    assert sum(len(one.attempts) for one in found) == 8


def test_what_was_rehearsed_is_never_merged_as_bought(sharded: Stage) -> None:
    path = state_of(sharded, 1).root / NAME
    path.write_text(path.read_text().replace('"rehearsed":false', '"rehearsed":true'))
    refused(sharded, "was rehearsed, and this merge is of what was bought")


def test_a_plan_that_has_no_hash_is_refused(sharded: Stage) -> None:
    with change(state_of(sharded, 1)) as db:
        db.execute("UPDATE run SET plan = 'x'")
    refused(sharded, "the plan file that it names cannot be one")
