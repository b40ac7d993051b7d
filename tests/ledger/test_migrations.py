"""A ledger that relightflow 0.1.0 wrote opens, and becomes what a new one is."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from relightflow.errors import StorageError
from relightflow.ledger import migrations, schema
from relightflow.ledger.ledger import DuplicateAttempt, Ledger
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import State
from relightflow.model.step import ResultKnown
from tests.ledger.conftest import job_of

OLD = Path(__file__).parent / "ledger-0.1.0.sql"
"""As SQL text, written by relightflow 0.1.0: a finished job, an accepted one, one in INTENT."""


@pytest.fixture
def old(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(OLD.read_text())
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 1")
        db.execute("PRAGMA journal_mode = WAL")
    return path


def tables(path: Path) -> dict[str, str]:
    """Name → what made it, spaces apart."""
    with closing(sqlite3.connect(path)) as db:
        query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        return {name: " ".join(sql.split()) for name, sql in db.execute(query)}


def test_an_old_ledger_becomes_what_a_new_one_is(old: Path, tmp_path: Path) -> None:
    Ledger(old).close()
    new = tmp_path / "new.sqlite3"
    Ledger(new).close()
    assert tables(old) == tables(new)
    for path in (old, new):
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (migrations.VERSION,)


def test_an_old_ledger_keeps_every_attempt_and_goes_on(old: Path) -> None:
    with closing(Ledger(old)) as ledger:
        with pytest.raises(DuplicateAttempt):
            asyncio.run(ledger.intend(job_of("two"), "run", 50_000))
        asyncio.run(ledger.advance(2, ResultKnown("r2", "https://h/r2", 50_000)))
        asyncio.run(ledger.intend(job_of("four"), "run", 50_000))
    with open_reader(old) as reader:
        states = [attempt.state for attempt in reader.attempts()]
        assert reader.recall("studio", "k") == "v"
        assert [row.path for row in reader.held_by("directory:/x")] == ["a.png"]
    assert states == [State.DONE, State.RESULT_KNOWN, State.INTENT, State.INTENT]


def test_reading_an_old_ledger_leaves_it_as_it_is(old: Path) -> None:
    before = old.read_bytes()
    with open_reader(old) as reader:
        assert [attempt.state for attempt in reader.attempts()] == ["DONE", "ACCEPTED", "INTENT"]
        assert (reader.money().spent, reader.money().in_flight) == (50_000, 100_000)
    assert old.read_bytes() == before


def test_a_step_that_fails_leaves_the_version_before_it(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = "CREATE TABLE half (x); CREATE TABLE run (x);"
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, bad))
    with pytest.raises(StorageError):
        Ledger(old)
    assert "half" not in tables(old)
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (migrations.VERSION,)
