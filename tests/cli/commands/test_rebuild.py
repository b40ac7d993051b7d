"""`rebuild`: its exit code says whether anything was lost."""

from __future__ import annotations

import json

import pytest

from relightflow.cli import main
from relightflow.errors import Exit
from tests.conftest import Stage


@pytest.fixture
def lost(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A state with two results, and without its ledger."""
    stage.recipe([0, 1])
    stage.run()
    for path in stage.state_dir.root.glob("ledger.sqlite3*"):
        path.unlink()
    monkeypatch.chdir(stage.folder)
    return stage


def test_a_lost_ledger_comes_back_and_nothing_is_bought(
    lost: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rebuild"]) == Exit.OK
    assert "2 results restored, nothing bought" in capsys.readouterr().out
    assert lost.run().counts.reused == 2
    assert len(lost.provider.bill) == 2


@pytest.mark.parametrize("damage", ["line", "blob"])
def test_what_is_lost_or_damaged_ends_with_8(
    lost: Stage, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    blobs = lost.state_dir.blobs
    if damage == "line":
        with (blobs / "index.jsonl").open("a") as index:
            index.write("junk\n")
    else:
        next(blobs.glob("??/*")).unlink()
    assert main(["rebuild", "--json"]) == Exit.DAMAGED
    document = json.loads(capsys.readouterr().out)
    assert (document["nonsense"], document["lost"]) == ((1, 0) if damage == "line" else (0, 1))


def test_a_ledger_that_is_there_is_not_replaced(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.run()
    before = stage.attempts()
    monkeypatch.chdir(stage.folder)
    assert main(["rebuild"]) != Exit.OK
    assert capsys.readouterr().err.startswith("error: ")
    assert stage.attempts() == before
