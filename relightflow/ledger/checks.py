"""Whether a ledger may be believed: an ordinary file, with our tables, indexes and triggers and no
others, and values that make sense. A database is a program to some degree: views and triggers run
when they are read or written, so a ledger that differs is refused before anything of it is used.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path

from relightflow.errors import RefusedError
from relightflow.ledger import migrations, schema

RECOVER = (
    "Restore a copy that 'relightflow backup' made with 'relightflow rebuild --from FILE', or "
    "move the ledger away and run "
    "'relightflow rebuild', which recreates it from the blob store. Both restore what the blob "
    "store contains and buy nothing"
)
"""How to go on without the ledger that is there."""

_MOST_TEXT = 16 << 20
"""Bytes of one value. What is kept aside is in the blob store; a row's texts are short."""
_CACHE = 6 << 10
"""KiB of pages that a connection keeps, at most. Jobs are looked up by hashes, so that with the 2 MB that
SQLite keeps by itself a run over ten thousand jobs reads the same pages over and over."""
_SUPER_JOURNAL = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
"""How a rollback journal ends that names another one (sqlite.org/fileformat.html, section 3)."""


def check_files(path: Path) -> None:
    """Raises RefusedError where the ledger at `path`, or a file beside it that SQLite opens by itself,
    is no ordinary file. SQLite would follow links, and delete what a journal names."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        file = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(os.lstat(file).st_mode):
                raise RefusedError(
                    f"refused the ledger: {file} is a link or not a regular file, so it could be "
                    "any file of yours. Delete it, or use another state with --state; nothing "
                    "was sent"
                )
            if suffix == "-journal" and _names_another(file):
                raise RefusedError(
                    f"refused the ledger: {file} names another file, which SQLite would delete. "
                    "relightflow never writes such a journal; delete it. Nothing was sent"
                )


def _names_another(journal: Path) -> bool:
    with journal.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - len(_SUPER_JOURNAL)))
        return file.read() == _SUPER_JOURNAL


def harden(db: sqlite3.Connection) -> None:
    """Settings of a connection to a file that may be a stranger's; before anything is read.

    Source: sqlite.org/security.html, "Untrusted SQLite Database Files".
    """
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA cell_size_check = ON")
    db.execute("PRAGMA mmap_size = 0")
    db.execute(f"PRAGMA cache_size = -{_CACHE}")
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_TEXT)
    db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    db.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 10)


def check_schema(db: sqlite3.Connection, path: Path, version: int) -> None:
    """Raises RefusedError where the tables, indexes, triggers and views are not exactly those that a
    ledger of `version` has."""
    found = _schema_of(db)
    expected = _expected(version)
    differs = sorted({name for _, name, _, _ in found ^ expected}, key=str)
    if differs:
        shown = ", ".join(ascii(name)[:60] for name in differs[:5])
        raise RefusedError(
            f"refused the ledger {path}: its structure is not relightflow's ({shown} differs), so "
            f"it was changed or damaged; nothing was sent. {RECOVER}"
        )


_Entry = tuple[object, object, object, object]


def _schema_of(db: sqlite3.Connection) -> frozenset[_Entry]:
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master"
    return frozenset(
        (kind, name, table, " ".join(sql.split()) if isinstance(sql, str) else sql)
        for kind, name, table, sql in db.execute(query)
    )


@lru_cache
def _expected(version: int) -> frozenset[_Entry]:
    """As a new ledger of that version has it."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.executescript(schema.SCHEMA)
        for step in migrations.MIGRATIONS[: version - schema.FIRST_VERSION]:
            db.executescript(step)
        return _schema_of(db)


def check_money(*amounts: object) -> None:
    """Raises sqlite3.DatabaseError where a sum or a least amount of the ledger is none: the rules of
    the tables are kept when a row is written, and whoever changes the file keeps none."""
    for amount in amounts:
        if amount is not None and (not isinstance(amount, int) or amount < 0):
            raise sqlite3.DatabaseError("it holds an amount of money that cannot be")
