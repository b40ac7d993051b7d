"""A state that is older than its results, put back by hand after real processes and real kills: what
the blob store knows is restored, nothing is bought twice."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from relightflow import api
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import State
from relightflow.run.restoring import open_state_reader
from relightflow.store.blobs import INDEX
from tests.conftest import Program, Stage
from tests.scripted_backend import PRICE

MODES = ("v1", "v2", "instant")
CRASHES = (
    "after-intent:7",
    "after-submit:7",
    "blob-durable:6",
    "after-stored:6",
    "after-commit:40",
)


def ledger_files(stage: Stage) -> list[Path]:
    return sorted(stage.state_dir.root.glob("ledger.sqlite3*"))


def copy_of(stage: Stage, name: str = "copy") -> Path:
    """The ledger's files, as a copying tool takes them."""
    folder = stage.folder / name
    folder.mkdir()
    for path in ledger_files(stage):
        shutil.copy2(path, folder)
    return folder


def put_back(stage: Stage, copy: Path) -> None:
    """The copy, and nothing but the copy."""
    for path in ledger_files(stage):
        path.unlink()
    for path in copy.iterdir():
        shutil.copy2(path, stage.state_dir.root)


def without_wal(stage: Stage, _: Path) -> None:
    for path in ledger_files(stage)[1:]:
        path.unlink()


def beside_the_newer_wal(stage: Stage, copy: Path) -> None:
    shutil.copy2(copy / "ledger.sqlite3", stage.state_dir.ledger)


def nothing_bought_twice(program: Program) -> bool:
    return not [key for key, times in Counter(program.billed()).items() if times > 1]


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def first_and_second(program: Program, mode: str, crash: str) -> Path:
    """Four jobs are done, the ledger is copied, and a second run is killed among eight more."""
    program.stage.recipe(list(range(4)))
    assert program.run(mode=mode)[0] == 0
    copy = copy_of(program.stage)
    program.stage.recipe(list(range(12)), concurrency=2)
    assert program.run(mode=mode, crash=crash)[0] in (-9, 0)
    return copy


@pytest.mark.parametrize("crash", CRASHES)
@pytest.mark.parametrize("tamper", [put_back, without_wal, beside_the_newer_wal])
def test_an_older_ledger_buys_nothing_twice(
    program: Program, mode: str, crash: str, tamper: Callable[[Stage, Path], None]
) -> None:
    copy = first_and_second(program, mode, crash)
    tamper(program.stage, copy)
    code, said = program.run(mode=mode)
    assert nothing_bought_twice(program), said
    assert code in (0, 5, 6), said
    if code == 6:
        assert "relightflow rebuild" in said


def test_what_the_ledger_had_lost_is_told_before_and_after(program: Program, mode: str) -> None:
    stage = program.stage
    copy = first_and_second(program, mode, "")
    put_back(stage, copy)
    stage.provider.mode = mode
    seen = api.plan_status(stage.plan(), stage.state_dir)
    assert (seen.new, seen.done, seen.restoration.results) == (0, 12, 8)
    assert seen.restoration.price == 8 * PRICE
    code, said = program.run(mode=mode)
    assert code == 0
    assert "restored 8 results, 0.40 USD" in said
    assert len(program.billed()) == 12
    assert not api.plan_status(stage.plan(), stage.state_dir).restoration
    with open_reader(stage.state_dir.ledger) as reader:
        assert reader.money().spent == 12 * PRICE


def test_a_call_under_way_that_only_the_index_knows_is_collected(program: Program) -> None:
    stage = program.stage
    stage.recipe([0])
    program.run(mode="v2")
    copy = copy_of(stage)
    stage.recipe([0, 1])
    assert program.run(mode="v2", crash="after-accepted:1")[0] == -9
    put_back(stage, copy)
    code, said = program.run(mode="v2")
    assert (code, len(program.billed())) == (0, 2)
    assert "restored 1 open call" in said


def test_a_call_without_an_answer_that_only_the_index_knows_is_held(program: Program) -> None:
    stage = program.stage
    stage.recipe([0])
    program.run(mode="v1")
    copy = copy_of(stage)
    stage.recipe([0, 1])
    assert program.run(mode="v1", crash="after-submit:1")[0] == -9
    put_back(stage, copy)
    code, said = program.run(mode="v1")
    assert (code, len(program.billed())) == (5, 2), said
    assert stage.states() == [State.DONE, State.UNKNOWN]


def test_restored_results_belong_to_their_recipe_and_run(program: Program) -> None:
    copy = first_and_second(program, "v2", "")
    put_back(program.stage, copy)
    program.run(mode="v2")
    runs = {attempt.run_id for attempt in program.stage.attempts()}
    with closing(sqlite3.connect(program.stage.state_dir.ledger)) as db:
        known = dict(db.execute("SELECT id, recipe FROM run"))
    assert {known.get(run) for run in runs} == {"demo"}


def test_results_older_than_the_ledger_are_missed_and_not_bought(
    program: Program, mode: str
) -> None:
    stage = program.stage
    stage.recipe([0, 1])
    program.run(mode=mode)
    older = stage.folder / "older"
    shutil.copytree(stage.state_dir.blobs, older)
    stage.recipe(list(range(6)))
    program.run(mode=mode)
    shutil.rmtree(stage.state_dir.blobs)
    older.rename(stage.state_dir.blobs)
    shutil.rmtree(stage.out)
    code, said = program.run(mode=mode)
    assert len(program.billed()) == 6, said
    assert code in (0, 8), said


def test_a_state_that_is_older_as_a_whole_beside_the_newer_blobs(
    program: Program, mode: str
) -> None:
    stage = program.stage
    stage.recipe(list(range(4)))
    program.run(mode=mode)
    older = stage.folder / "older"
    shutil.copytree(stage.state_dir.root, older)
    stage.recipe(list(range(12)))
    program.run(mode=mode)
    shutil.copytree(stage.state_dir.blobs, older / "blobs", dirs_exist_ok=True)
    shutil.rmtree(stage.state_dir.root)
    older.rename(stage.state_dir.root)
    code, said = program.run(mode=mode)
    assert (code, len(program.billed())) == (0, 12), said


def test_only_new_lines_are_read(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.recipe(list(range(5)))
    stage.run()
    with open_state_reader(stage.state_dir) as seen:
        position = seen.ledger.index_position()
    size = (stage.state_dir.blobs / INDEX).stat().st_size
    assert position is not None
    assert position[0] == size
    stage.run()
    with open_reader(stage.state_dir.ledger) as reader:
        assert reader.index_position() == position


def test_an_index_that_was_replaced_is_read_from_its_start(stage: Stage) -> None:
    stage.recipe([0, 1])
    stage.run()
    index = stage.state_dir.blobs / INDEX
    lines = index.read_text().splitlines(keepends=True)
    other = json.loads(lines[0]) | {"key": "f" * 64, "attempt": "e" * 32}
    index.write_text("".join([json.dumps(other) + "\n", *lines, *lines]))
    stage.run()
    assert State.UNKNOWN in stage.states()
    assert len(stage.attempts()) == 3


def test_a_closed_attempt_is_not_brought_back(stage: Stage) -> None:
    """What its owner decided stands, though the index tells of the time before."""
    stage.recipe([0])
    stage.run()
    with closing(sqlite3.connect(stage.state_dir.ledger)) as db, db:
        db.execute("UPDATE attempt SET state = 'READY'")
        db.execute("DELETE FROM index_position")
    assert api.plan_status(stage.plan(), stage.state_dir).new == 1


def test_a_state_that_is_open_is_handed_on_and_stays_open(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.recipe([0])
    stage.run_in_no_time(monkeypatch)
    with open_state_reader(stage.state_dir) as state:
        with open_state_reader(state) as same:
            assert same is state
        assert state.ledger.states()
