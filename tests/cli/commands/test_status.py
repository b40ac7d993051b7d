import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.ledger.ledger import Ledger
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.step import EXPIRES, Accepted
from relightflow.model.values import FrozenMap
from relightflow.store.state_dir import StateDir
from tests.cli.program import Relightflow

IMAGE = Image("a.png", "a" * 64, 1, 1, 1, "image/png", 0, "")
JOB = Job("f" * 64, IMAGE, "studio", "glow", FrozenMap(), 0)


def spend(folder: Path) -> None:
    """A ledger with one run and one call whose outcome is unknown."""
    state_dir = StateDir(folder / ".relightflow")
    state_dir.create()

    async def play(ledger: Ledger) -> None:
        await ledger.run_started("run-1", "spring")
        attempt = await ledger.intend(JOB, "run-1", 50_000)
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


def test_status_says_by_when_a_result_must_be_collected(
    relightflow: Relightflow, tmp_path: Path
) -> None:
    """Of what is settled, and of what says nothing, it says nothing."""

    async def accepted(ledger: Ledger, job: Job) -> None:
        for number, details in enumerate(({EXPIRES: 1_795_438_800.0}, {EXPIRES: 1e12}, {})):
            one = await ledger.intend(replace(job, key=f"{number}" * 64), "run-1", 50_000)
            await ledger.advance(one, Accepted(f"request-{number}", FrozenMap(details)))

    spend(tmp_path)
    ledger = Ledger(StateDir(tmp_path / ".relightflow").ledger)
    try:
        asyncio.run(accepted(ledger, JOB))
    finally:
        ledger.close()
    assert json.loads(relightflow("status", "--json").stdout)["collect_by"] == 1_795_438_800.0
    assert "the first of 2 paid results" in relightflow("status").stdout


def test_a_damaged_ledger_ends_with_6(relightflow: Relightflow, tmp_path: Path) -> None:
    (tmp_path / ".relightflow").mkdir()
    (tmp_path / ".relightflow/ledger.sqlite3").write_bytes(b"not a database" * 100)
    done = relightflow("status")
    assert done.returncode == 6
    assert "Traceback" not in done.stderr
