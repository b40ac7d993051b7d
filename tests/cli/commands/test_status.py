import asyncio
import json
from pathlib import Path

import pytest

from relightflow.ledger.ledger import Ledger
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.values import FrozenMap
from relightflow.store.state_dir import StateDir
from tests.cli.program import Relightflow


def spend(folder: Path) -> None:
    """A ledger with one run and one call whose outcome is unknown."""
    state_dir = StateDir(folder / ".relightflow")
    state_dir.create()
    image = Image("a.png", "a" * 64, 1, 1, 1, "image/png", 0, "")
    job = Job("f" * 64, image, "studio", "glow", FrozenMap(), 0)

    async def play(ledger: Ledger) -> None:
        await ledger.run_started("run-1", "spring")
        attempt = await ledger.intend(job, "run-1", 50_000)
        failure = Failure(FailureKind.UNKNOWN, "no answer came", Billed.UNKNOWN)
        await ledger.close_attempt(attempt, State.UNKNOWN, failure)
        await ledger.run_ended("run-1", 5)

    ledger = Ledger(state_dir.ledger)
    try:
        asyncio.run(play(ledger))
    finally:
        ledger.close()


def test_a_folder_without_state_is_told_and_nothing_is_created(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    done = relightflow("status")
    assert done.returncode == 0
    assert "folder not found: nothing was bought" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["status", "resolve", "gc", "reconcile", "backup out.db"])
def test_a_named_state_that_is_not_there_is_no_answer(
    relightflow: Relightflow, tmp_path: Path, command: str
) -> None:
    """A share that is not mounted: nothing is known of it, and nothing is created there."""
    name, *more = command.split()
    done = relightflow(name, *more, "--state", str(tmp_path / "share"))
    assert done.returncode == 6, done.stdout
    assert "does not exist: it is not mounted, or its name is wrong" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_status_shows_the_last_run_and_what_is_in_doubt(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    spend(tmp_path)
    said = relightflow("status").stdout
    assert "run run-1: exit 5" in said
    assert "1 call, 0.05 USD: may have been billed" in said


def test_status_for_programs(relightflow: Relightflow, tmp_path: Path) -> None:
    spend(tmp_path)
    found = json.loads(relightflow("status", "--json").stdout)
    assert (found["last_run"]["exit"], found["unknown_usd"]) == (5, 0.05)
    assert [row["reason"] for row in found["unknown"]] == ["no answer came"]


def test_a_damaged_ledger_ends_with_6(relightflow: Relightflow, tmp_path: Path) -> None:
    (tmp_path / ".relightflow").mkdir()
    (tmp_path / ".relightflow/ledger.sqlite3").write_bytes(b"not a database" * 100)
    done = relightflow("status")
    assert done.returncode == 6
    assert "Traceback" not in done.stderr
