"""How the ledger's format grew: from each version the SQL that leads to the next one.

A new ledger takes the same road, so that old and new ones are alike. Each step is one transaction
together with its version number: a crash leaves the version before or the one after. To change the
format, append a step; never edit one that was released. A change of `attempt.LEGAL` needs one too
(`schema.MOVES_TRIGGER`).
"""

from __future__ import annotations

import sqlite3

from relightflow.ledger import schema

_UUID_AND_INDEX_POSITION = """
ALTER TABLE attempt ADD COLUMN uuid TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX attempt_by_uuid ON attempt (uuid) WHERE uuid <> '';

CREATE TABLE index_position (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  offset INTEGER NOT NULL CHECK (offset >= 0),
  tail TEXT NOT NULL,
  moves INTEGER NOT NULL
) STRICT;
"""
"""`attempt.uuid` names an attempt in the blob store's index too ('' before version 2).
`index_position`: how many bytes of that index the ledger is known to agree with, the sha256 of their
end, and the ledger's own number of moves (`max(history.id)`) at that time."""

_REQUEST_IDS = """
CREATE INDEX attempt_by_request ON attempt (request_id) WHERE request_id <> '';
"""
"""An id of the provider's must not come twice; looked up at each step of a call. (Not needed: see
`_ONE_INDEX_OF_REQUESTS`.)"""

_SPENDING = """
ALTER TABLE run ADD COLUMN file TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN floor INTEGER CHECK (floor >= 0);
"""
"""`run.file`: the recipe's path, so that a recipe under a new name keeps its cap. `attempt.floor`: the
lowest price on the list, in micro-dollars; NULL: not known, so the call counts at its highest."""

_ONE_INDEX_OF_REQUESTS = """
DROP INDEX attempt_by_request;
"""
"""`attempt_request`, there since version 1, is the same."""

_PLANS = """
ALTER TABLE run ADD COLUMN plan TEXT NOT NULL DEFAULT '';
"""
"""`run.plan`: sha256 of the plan file that the run applied; empty: it applied none."""

MIGRATIONS: tuple[str, ...] = (
    _UUID_AND_INDEX_POSITION,
    _REQUEST_IDS,
    _SPENDING,
    _ONE_INDEX_OF_REQUESTS,
    _PLANS,
)
"""The first leads from version 1, that of relightflow 0.1.0, to version 2."""

VERSION = 1 + len(MIGRATIONS)


def create(db: sqlite3.Connection) -> None:
    """Make the tables of the newest version in an empty database."""
    db.executescript(f"BEGIN IMMEDIATE;{schema.SCHEMA}COMMIT;")
    migrate(db)


def migrate(db: sqlite3.Connection) -> None:
    """Bring an older ledger to this version. Raises sqlite3.Error, with the ledger as it was before
    the step that failed."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    for number, step in enumerate(MIGRATIONS[version - 1 :], start=version + 1):
        try:
            db.executescript(f"BEGIN IMMEDIATE;{step}PRAGMA user_version = {number};COMMIT;")
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
