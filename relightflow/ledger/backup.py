"""Copies the ledger to one file that is complete by itself, also while a run writes.

A copying tool would miss the changes that are still in the `-wal` file.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from relightflow.errors import StorageError
from relightflow.ledger.reader import open_reader


def copy_ledger(ledger: Path, target: Path) -> int:
    """Write the ledger's state of this moment to `target`, whole or not at all; how many attempts it
    holds. Blocks. Raises StorageError where there is no ledger, it is damaged or the disk refuses.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        with open_reader(ledger) as reader, closing(sqlite3.connect(part)) as copy:
            if reader.empty:
                raise StorageError(f"no ledger at {ledger}; nothing to back up")
            reader.copy_to(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
            attempts: int = copy.execute("SELECT count(*) FROM attempt").fetchone()[0]
        _make_durable(part)
        part.replace(target)
        _make_durable(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"the backup {target} could not be written ({error})") from error
    finally:
        part.unlink(missing_ok=True)
    return attempts


def _make_durable(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
