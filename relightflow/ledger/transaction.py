"""Makes many changes in one transaction, so that one which breaks a rule fails alone.

They are made without savepoints, which would cost as much as a change; only where one fails are all of
them made again, each within its own. A change must therefore do the same when it is called twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

Change = Callable[[sqlite3.Connection], Any]

_OWN_FAULT = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)
"""What a change can be blamed for, and not the disk: a broken rule, a value that cannot be kept."""


def make_all(db: sqlite3.Connection, changes: Sequence[Change]) -> Sequence[Any]:
    """Begin a transaction and make `changes` in it: what each gave, or what it raised, in which case
    nothing of it stays. The caller commits. Raises sqlite3.Error for what is everybody's: the disk."""
    db.execute("BEGIN IMMEDIATE")
    try:
        return [change(db) for change in changes]
    except Exception as error:
        if not _is_own(error):
            raise
    db.execute("ROLLBACK")
    db.execute("BEGIN IMMEDIATE")
    return [_alone(db, change) for change in changes]


def _alone(db: sqlite3.Connection, change: Change) -> Any:
    """One change, of which nothing stays where it fails."""
    db.execute("SAVEPOINT one")
    try:
        answer = change(db)
    except Exception as error:
        if not _is_own(error):
            raise
        db.execute("ROLLBACK TO one")
        answer = error
    db.execute("RELEASE one")
    return answer


def _is_own(error: Exception) -> bool:
    return not isinstance(error, sqlite3.DatabaseError) or isinstance(error, _OWN_FAULT)
