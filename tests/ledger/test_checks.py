from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from relightflow.errors import RefusedError, RelightflowError, StorageError
from relightflow.ledger import checks, migrations, schema
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import open_reader


def use(path: Path) -> None:
    with open_reader(path) as reader:
        reader.money()
        reader.attempts()
        reader.stored_attempts()
        reader.job_states(["k"])
        reader.held_attempts()


@pytest.fixture
def made(path: Path) -> Path:
    """A ledger with one attempt."""
    Ledger(path).close()
    change(path, INSERT)
    use(path)
    Ledger(path).close()
    return path


USES: tuple[Callable[[Path], None], ...] = (use, lambda path: Ledger(path).close())
"""Reading and writing."""

INSERT = (
    "INSERT INTO attempt (job_key, run_id, state, billed, backend, model, image_sha256, parameters,"
    " repeat, price, blob, created, updated)"
    " VALUES ('k', 'r', 'DONE', 'yes', 'b', 'm', 's', '{}', 0, 5, 'x', 1, 1)"
)


def change(path: Path, *statements: str) -> None:
    """Whatever SQLite lets anybody do who has the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


SCHEMAS = {
    "a trigger": [
        "CREATE TRIGGER evil AFTER INSERT ON attempt BEGIN UPDATE run SET exit_code = 1; END"
    ],
    "a view": ["CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c)"
               " SELECT x FROM c"],
    "a view in a table's place": [
        "DROP TABLE memory",
        "CREATE VIEW memory AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c)"
        " SELECT x AS backend, x AS key, x AS value FROM c",
    ],
    "a table more": ["CREATE TABLE more (a)"],
    "an index more": ["CREATE INDEX more ON attempt (price)"],
    "an index less": ["DROP INDEX attempt_at_most_one_alive"],
    "a trigger less": ["DROP TRIGGER attempt_moves_legally"],
    "a column more": ["ALTER TABLE attempt ADD COLUMN more TEXT"],
    "a computed column": ["ALTER TABLE run ADD COLUMN more TEXT AS (hex(recipe)) VIRTUAL"],
    "statistics": ["ANALYZE"],
    "a rule less": [
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, ' CHECK (cost >= 0)', '') WHERE name = "
        "'attempt'",
    ],
    "a rule of another meaning": [
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'alive', 'ALIVE')",
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_ledger_with_other_tables_than_ours_is_refused_whoever_opens_it(
    made: Path, kind: str
) -> None:
    change(made, *SCHEMAS[kind])
    before = made.read_bytes()
    for opened in USES:
        with pytest.raises(RelightflowError, match=r"[Nn]othing was sent"):
            opened(made)
    assert made.read_bytes() == before


@pytest.mark.parametrize("version", range(1, migrations.VERSION + 1))
def test_every_version_is_known_as_it_is(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript(schema.SCHEMA)
        for step in migrations.MIGRATIONS[: version - 1]:
            db.executescript(step)
        checks.check_schema(db, path, version)
        if version > 1:
            with pytest.raises(RefusedError):
                checks.check_schema(db, path, version - 1)


VALUES = {
    "a negative cost": "cost = -5000000",
    "a negative price": "price = -1",
    "a huge cost": f"cost = {1 << 60}",
    "text for a cost": "cost = 'x'",
    "another state": "state = 'FREE'",
    "another word for billed": "billed = 'maybe'",
    "no state": "state = NULL",
    "infinite time": "updated = 9e999",
    "a time before all": "created = -1.0",
    "parameters that are no object": "parameters = '[]'",
    "parameters that are no JSON": "parameters = 'x'",
    "details without a number": "details = '{\"a\": NaN}'",
    "details nested deep": f"details = '{'[' * 200_000}'",
    "a size below nought": "size = -1",
    "bytes for text": "reason = x'ff00'",
    "bytes for a blob's name": "blob = x'ff00'",
}


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_that_no_ledger_holds_is_told_and_nothing_is_done_with_it(
    made: Path, kind: str
) -> None:
    tamper(made, VALUES[kind])
    with pytest.raises(StorageError, match="nothing was sent"):
        use(made)


def tamper(path: Path, values: str) -> None:
    """Put values into the file that its own rules forbid: the rules are taken out for as long."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        query = "SELECT name, sql FROM sqlite_master WHERE type = ?"
        triggers, tables = (db.execute(query, (kind,)).fetchall() for kind in ("trigger", "table"))
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        db.execute("PRAGMA writable_schema = ON")
        db.execute(
            "UPDATE sqlite_master SET sql = replace(replace(sql, ' NOT NULL', ''), 'STRICT', '')"
        )
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(f"UPDATE attempt SET {values}")
        for _, sql in triggers:
            db.execute(sql)
        db.execute("PRAGMA writable_schema = ON")
        for name, sql in tables:
            db.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, name))


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("dangling", [False, True])
def test_no_file_of_the_ledger_may_be_a_link(
    made: Path, tmp_path: Path, suffix: str, dangling: bool
) -> None:
    file, mine = made.with_name(made.name + suffix), tmp_path / "mine"
    if not dangling:
        mine.write_bytes(made.read_bytes())
    file.unlink(missing_ok=True)
    file.symlink_to(mine)
    before = mine.read_bytes() if mine.exists() else None
    for opened in USES:
        with pytest.raises(RefusedError, match="link or not a regular file"):
            opened(made)
    assert (mine.read_bytes() if mine.exists() else None) == before


def test_a_journal_that_names_another_file_is_refused_before_sqlite_deletes_that(
    made: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    made.with_name(made.name + "-journal").write_bytes(_journal(str(mine).encode()))
    for opened in USES:
        with pytest.raises(RefusedError, match="names another file"):
            opened(made)
    assert mine.read_text() == "mine"


def _journal(name: bytes) -> bytes:
    """One page more than nothing, and at the end the name of a journal above it."""
    head = bytes.fromhex("d9d505f920a163d7") + (0).to_bytes(4) + bytes(4) + (1).to_bytes(4)
    head += (512).to_bytes(4) + (4096).to_bytes(4)
    checksum = sum(name).to_bytes(4)
    end = (0).to_bytes(4) + name + len(name).to_bytes(4) + checksum
    return head.ljust(512, b"\0") + end + bytes.fromhex("d9d505f920a163d7")


def test_a_connection_runs_nothing_that_a_file_brings() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        checks.harden(db)
        assert db.execute("PRAGMA trusted_schema").fetchone() == (0,)
        assert db.execute("PRAGMA cell_size_check").fetchone() == (1,)
        with pytest.raises(sqlite3.OperationalError, match="too many attached"):
            db.execute("ATTACH ? AS other", (os.devnull,))
