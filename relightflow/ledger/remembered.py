"""How jobs stand, read once while nobody writes: a run asks before its work and again after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from relightflow.ledger import rows
from relightflow.ledger.rows import JobState

MOST = 16_384
"""Jobs that are remembered: some 10 MB. Of a larger plan the later ones are read again."""


class RememberedStates:
    """What `rows.job_states` found in `connection`, for as long as it must find the same."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._found: dict[str, JobState] = {}
        self._version: tuple[int, int] | None = None

    def of(self, keys: Sequence[str], keep: bool) -> dict[str, JobState]:
        """As `rows.job_states`. `keep`: remember them, since somebody will ask again."""
        found = self._current()
        new = [key for key in keys if key not in found]
        read = rows.job_states(self._db, new) if new else {}
        if keep and len(found) + len(read) <= MOST:
            found.update(read)
        return {key: state for key in keys if (state := found.get(key) or read.get(key))}

    def _current(self) -> dict[str, JobState]:
        """What still holds: nobody has committed anything since, through this connection or another
        (https://www.sqlite.org/pragma.html#pragma_data_version)."""
        (others,) = self._db.execute("PRAGMA data_version").fetchone()
        version = (others, self._db.total_changes)
        if version != self._version:
            self._found, self._version = {}, version
        return self._found
