"""A backup is one file, made during a run too, and put back without buying anything."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from relightflow.cli import main
from relightflow.ledger.backup import copy_ledger
from relightflow.maintenance.rebuild import rebuild
from relightflow.model.attempt import State
from relightflow.run.opening import open_state
from tests.conftest import Program, Stage
from tests.scripted_backend import PRICE


def test_a_backup_during_a_run_is_complete_by_itself(stage: Stage) -> None:
    stage.recipe([0, 1, 2])
    stage.run()
    target = stage.folder / "copy.sqlite3"
    with open_state(stage.state_dir, "a run") as state:
        state.ledger.change_now(lambda db: db.execute("UPDATE attempt SET reason = 'in the wal'"))
        assert copy_ledger(stage.state_dir.ledger, target) == 3
    with closing(sqlite3.connect(target)) as db:
        assert db.execute("SELECT DISTINCT reason FROM attempt").fetchall() == [("in the wal",)]
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in stage.folder.glob("*copy*")) == ["copy.sqlite3"]


@pytest.mark.parametrize("mode", ["v1", "v2"])
def test_a_backup_is_put_back_over_a_damaged_ledger(program: Program, mode: str) -> None:
    stage = program.stage
    stage.recipe([0, 1])
    program.run(mode=mode)
    copy_ledger(stage.state_dir.ledger, stage.folder / "copy")
    stage.recipe([0, 1, 2, 3])
    assert program.run(mode=mode, crash="after-stored:1")[0] == -9
    stage.state_dir.ledger.write_bytes(b"damaged" * 2000)
    code, said = program.run(mode=mode)
    assert code == 6
    assert "relightflow backup" in said
    rebuild(stage.state_dir, stage.folder / "copy")
    assert len(list(stage.state_dir.root.glob("replaced-*/ledger.sqlite3"))) == 1
    code, said = program.run(mode=mode)
    assert code in (0, 5), said
    assert len(program.billed()) == len(set(program.billed()))


def test_results_bought_after_the_backup_are_restored_with_it(stage: Stage) -> None:
    stage.recipe([0])
    stage.run()
    copy_ledger(stage.state_dir.ledger, stage.folder / "copy")
    stage.recipe([0, 1, 2])
    stage.run()
    rebuild(stage.state_dir, stage.folder / "copy")
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 3
    assert {State.DONE} == set(stage.states())
    assert sum(attempt.cost or 0 for attempt in stage.attempts()) == 3 * PRICE


def test_there_is_nothing_to_copy_or_no_ledger_to_put_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(stage.folder)
    assert main(["backup", "copy"]) == 6
    assert "no ledger at" in capsys.readouterr().err
    (stage.folder / "text").write_text("hello")
    stage.run()
    assert main(["rebuild", "--from", "text"]) == 6
    assert main(["backup", ".relightflow/blobs/copy"]) == 2
    assert not Path("copy").exists()
