"""Quick checks of single rules that only a power cut or a crowd would show."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from benchmarks.reliability.crowd import crowd
from benchmarks.reliability.inside import buying
from benchmarks.reliability.mutants import MUTANTS, QUICK, Mutant, broken, tried
from benchmarks.reliability.rehearsal import ROOT, Work
from benchmarks.reliability.simulator import plan
from relightflow.ledger.ledger import DuplicateAttempt, Ledger
from relightflow.plan.outputs import firsts
from relightflow.store.blobs import BlobStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


def test_a_commit_survives_a_power_cut(path: Path) -> None:
    ledger = Ledger(path)
    said = ledger.change_now(
        lambda db: [
            db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")
        ]
    )
    ledger.close()
    assert said == [2, "wal"]  # 2 is FULL: sqlite.org/pragma.html#pragma_synchronous


async def test_a_job_has_one_open_attempt_and_the_database_says_so(path: Path) -> None:
    ledger = Ledger(path)
    job = next(iter(firsts(plan(1, 1, 1)))).job
    await ledger.intend(job, "r", 50_000)
    with pytest.raises(DuplicateAttempt):
        await ledger.intend(job, "r", 50_000)
    ledger.close()
    with sqlite3.connect(path) as db, pytest.raises(sqlite3.IntegrityError, match="illegal move"):
        db.execute("UPDATE attempt SET state = 'DONE'")
    db.close()


async def test_a_stored_blob_its_index_and_their_folders_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def noted(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", noted)
    store = BlobStore(tmp_path)
    sha256 = await store.put(b"bytes", {})
    store.close()
    wanted = {
        tmp_path / sha256[:2] / sha256,
        tmp_path / sha256[:2],
        tmp_path,
        tmp_path / "index.jsonl",
    }
    assert wanted <= {Path(name) for name in synced}


async def test_the_key_goes_to_the_api_alone(tmp_path: Path) -> None:
    async with buying(tmp_path, Work("v2", cells=2)) as shop:
        came = await shop.run()
        keyed = shop.emulator.requests()["with_key"]
    assert came.exit == 0
    assert keyed["submit"] == 2
    assert not keyed.get("download")
    assert not keyed.get("asset")


def test_of_many_processes_one_works_and_the_others_name_it(tmp_path: Path) -> None:
    came = crowd(tmp_path, seconds=0.1, processes=8)
    assert not came.problems
    assert came.exits == {75: 7, 143: 1}


@pytest.mark.parametrize("name", QUICK)
def test_a_broken_rule_is_noticed(name: str) -> None:
    [mutant] = [mutant for mutant in MUTANTS if mutant.name == name]
    assert tried(mutant).caught


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_still_fits_the_source(mutant: Mutant) -> None:
    source = (ROOT / "relightflow" / mutant.file).read_text(encoding="utf-8")
    compile(broken(mutant, source), mutant.file, "exec")
