from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from relightflow.errors import StorageError
from relightflow.ledger.backup import copy_ledger
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import open_reader
from tests.ledger.conftest import job_of


def test_what_is_only_in_the_wal_is_in_the_copy(ledger: Ledger, path: Path, tmp_path: Path) -> None:
    asyncio.run(ledger.intend(job_of("one"), "run", 50))
    target = tmp_path / "backup.sqlite3"
    assert copy_ledger(path, target) == 1
    asyncio.run(ledger.intend(job_of("two"), "run", 50))
    with open_reader(target) as reader:
        assert [attempt.job_key for attempt in reader.attempts()] == [job_of("one").key]
    assert [p.name for p in tmp_path.glob("backup*")] == ["backup.sqlite3"]
    assert not list(tmp_path.glob(".*")), "no part is left"


def test_the_copy_is_one_file_for_its_owner_alone(
    ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    asyncio.run(ledger.intend(job_of(), "run", 50))
    target = tmp_path / "backup.sqlite3"
    copy_ledger(path, target)
    assert target.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(target)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_an_earlier_backup_is_replaced_and_an_abandoned_part_is_no_obstacle(
    ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    asyncio.run(ledger.intend(job_of(), "run", 50))
    target = tmp_path / "backup.sqlite3"
    target.write_text("old")
    (tmp_path / ".backup.sqlite3.part").write_text("torn")
    assert copy_ledger(path, target) == 1
    assert copy_ledger(path, target) == 1


def test_a_link_in_the_place_of_the_part_is_not_written_through(
    ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".backup.sqlite3.part").symlink_to(victim)
    copy_ledger(path, tmp_path / "backup.sqlite3")
    assert victim.read_text() == "mine"


def test_without_a_ledger_there_is_nothing_to_copy_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no ledger at .*; nothing to back up"):
        copy_ledger(tmp_path / "none.sqlite3", tmp_path / "backup.sqlite3")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_and_an_old_backup_kept(
    ledger: Ledger, path: Path, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match=r"the backup .* could not be written"):
        copy_ledger(path, tmp_path / "none/backup.sqlite3")
    (tmp_path / "backup").mkdir()
    with pytest.raises(StorageError, match="could not be written"):
        copy_ledger(path, tmp_path / "backup")
    assert not list(tmp_path.glob(".*"))
