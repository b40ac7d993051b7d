"""Reading the ledger: for the run itself, for `plan`, `status` and the manifest.

Readers open the file read-only, so that they can look while a run writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from relightflow.errors import StorageError
from relightflow.ledger import checks, migrations, restoring, rows
from relightflow.ledger.ledger import MIXED, RETRIES, agrees, check, damaged, is_blank
from relightflow.ledger.remembered import RememberedStates
from relightflow.ledger.restoring import Difference, IndexedAttempts
from relightflow.ledger.rows import Delivered, JobState
from relightflow.ledger.schema import NOT_ENDED
from relightflow.model.attempt import OPEN, Attempt
from relightflow.model.evidence import SERVER_TIME, moment
from relightflow.model.money import Micros
from relightflow.model.restoration import Restoration
from relightflow.model.spending import Charge, Kind

NOWHERE = Path()
KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Commitments:
    """What the ledger knows of money, in micro-dollars. Unknown costs count as the highest price."""

    spent: Micros
    in_flight: Micros
    """Reserved by attempts that are accepted or in flight, and not known to be billed."""
    unknown: Micros
    """May have been billed."""


_GIVEN_UP = (
    "((state = 'READY' AND billed = 'unknown') OR (state = 'FAILED' AND"
    f" json_extract(details, '$.{rows.GIVEN_UP}') = 1)) AND request_id = ''"
)
_IN_FLIGHT = NOT_ENDED + " AND state IN ('" + "', '".join(sorted(OPEN)) + "')"
_RECENT = 2000
"""Moves of the history that tell how long calls take."""
_LONGEST_CALL = 3600.0
"""Seconds; what took longer was interrupted, or the clock was put forward."""
_NEAR = 300
"""Calls on either side of the doubtful ones that the provider's records are compared with."""


class Reader:
    """A read-only view. Use it from one thread at a time."""

    def __init__(self, connection: sqlite3.Connection | None, path: Path = NOWHERE) -> None:
        """`path`: of the file, for messages."""
        self._db = connection
        self._path = path
        self._states = RememberedStates(connection) if connection else None

    @property
    def empty(self) -> bool:
        """True where there is no ledger yet."""
        return self._db is None

    def job_states(self, keys: Sequence[str], keep: bool = False) -> dict[str, JobState]:
        """How the jobs with `keys` stand (up to some thousand keys a call). `keep`: see RememberedStates."""
        return self._states.of(keys, keep) if self._states else {}

    def bought_jobs(self, keys: Sequence[str]) -> set[str]:
        """Which of `keys` are or were in flight, have or had a result, or may have been billed; calls that
        certainly came to nothing leave a job as if it had never been tried."""
        if self._db is None:
            return set()
        marks = ",".join("?" * len(keys))
        query = (
            f"SELECT DISTINCT job_key FROM attempt WHERE job_key IN ({marks}) AND"
            " (state NOT IN ('READY', 'FAILED') OR billed <> 'no' OR blob <> '')"
        )
        return {key for (key,) in self._db.execute(query, keys)}

    def open_attempts(self, backend: str | None = None) -> list[Attempt]:
        """Every attempt with money or bytes in flight, oldest first."""
        return self._open(_IN_FLIGHT, backend)

    def unknown_attempts(self, backend: str | None = None) -> list[Attempt]:
        return self._open(f"{NOT_ENDED} AND state = 'UNKNOWN'", backend)

    def attempt(self, attempt_id: int) -> Attempt | None:
        found = rows.select(self._db, "id = ?", (attempt_id,)) if self._db else []
        return found[0] if found else None

    def attempt_named(self, uuid: str) -> Attempt | None:
        """The attempt with this name of its own, which other machines know it by."""
        found = rows.select(self._db, "uuid = ?", (uuid,)) if self._db and uuid else []
        return found[0] if found else None

    def attempt_names(self, counted: bool = False) -> frozenset[str]:
        """The names of all attempts that have one; `counted`: only of those that cost something, or may have."""
        query = "SELECT uuid FROM attempt WHERE uuid <> ''" + " AND billed <> 'no'" * counted
        return frozenset(row[0] for row in self._db.execute(query)) if self._db else frozenset()

    def adopted_jobs(self) -> frozenset[str]:
        """Keys of the jobs whose result was bought elsewhere."""
        query = "SELECT job_key FROM attempt WHERE billed = 'no' AND blob <> '' AND price > 0"
        return frozenset(row[0] for row in self._db.execute(query)) if self._db else frozenset()

    def recipe_of_run(self, run_id: str) -> str:
        """Name of the recipe that the run was about; empty where the ledger does not know it."""
        query = "SELECT recipe FROM run WHERE id = ?"
        row = self._db.execute(query, (run_id,)).fetchone() if self._db else None
        return row[0] if row else ""

    def attempts(self, since: float = 0.0) -> list[Attempt]:
        """Every attempt that was made at `since` (Unix seconds) or later."""
        return rows.select(self._db, "created >= ?", (since,)) if self._db else []

    def held_attempts(self) -> list[Attempt]:
        """Those that wait for a person: unknown, or paid without an image."""
        waiting = "state IN ('UNKNOWN', 'PAID_UNFETCHED')"
        return self._open(f"({waiting} OR (state = 'FAILED' AND billed <> 'no'))", None)

    def given_up_attempts(self, backend: str) -> list[Attempt]:
        """Those that somebody gave up while nobody knew what had become of them, and nobody knows."""
        return self._open(_GIVEN_UP, backend)

    def known_calls(self, backend: str, first: int, last: int) -> list[Attempt]:
        """Attempts that the provider certainly took, by request id: those between the attempts `first`
        and `last`, and some hundreds before and after."""
        if not self._db:
            return []
        taken = (
            "backend = ? AND request_id <> '' AND (state IN ('ACCEPTED', 'RESULT_KNOWN',"
            " 'PAID_UNFETCHED', 'STORED', 'DONE') OR billed = 'yes')"
            " AND json_extract(details, '$.origin') IS NULL"
        )
        nearest = (
            f"id IN (SELECT id FROM attempt WHERE id < ? AND {taken} ORDER BY id DESC LIMIT "
            f"{_NEAR})"
            f" OR (id BETWEEN ? AND ? AND {taken})"
            f" OR id IN (SELECT id FROM attempt WHERE id > ? AND {taken} ORDER BY id LIMIT {_NEAR})"
        )
        return rows.select(self._db, nearest, (first, backend, first, last, backend, last, backend))

    def stored_attempts(self) -> list[Attempt]:
        """Those with an image in the store."""
        return self._open("state IN ('STORED', 'DONE')", None)

    def _open(self, where: str, backend: str | None) -> list[Attempt]:
        if not self._db:
            return []
        if backend is None:
            return rows.select(self._db, where)
        return rows.select(self._db, where + " AND backend = ?", (backend,))

    def request_ids(self) -> frozenset[str]:
        """Every request id that some attempt already has."""
        query = "SELECT request_id FROM attempt WHERE request_id <> ''"
        return frozenset(row[0] for row in self._db.execute(query)) if self._db else frozenset()

    def deliveries(self, sink: str, paths: Sequence[str]) -> dict[str, Delivered]:
        """What `sink` was given at `paths`."""
        if not self._db or not paths:
            return {}
        marks = ",".join("?" * len(paths))
        query = f"SELECT * FROM delivery WHERE sink = ? AND path IN ({marks})"
        return {row[1]: Delivered(*row) for row in self._db.execute(query, (sink, *paths))}

    def held_by(self, sink: str) -> Iterator[Delivered]:
        """Every file that `sink` was given, by path."""
        query = "SELECT * FROM delivery WHERE sink = ? ORDER BY path"
        found = self._db.execute(query, (sink,)) if self._db else ()
        yield from (Delivered(*row) for row in found)

    def recipes_of(self, blob: str) -> frozenset[str]:
        """Names of the recipes for which the result `blob` was made or adopted; those that the ledger does
        not know are left out."""
        query = (
            "SELECT DISTINCT run.recipe FROM attempt JOIN run ON run.id = attempt.run_id"
            " WHERE attempt.blob = ?"
        )
        found = self._db.execute(query, (blob,)) if self._db else ()
        return frozenset(row[0] for row in found)

    def gathered(self, sink: str) -> list[Delivered]:
        """The files that `sink` made when it finished, also accepted ones: all whose basis is no blob."""
        query = (
            "SELECT * FROM delivery WHERE sink = ? AND (basis LIKE 'run:%' OR basis LIKE 'kept:run:%')"
            " ORDER BY path"
        )
        found = self._db.execute(query, (sink,)) if self._db else ()
        return [Delivered(*row) for row in found]

    def recall(self, backend: str, key: str) -> str | None:
        if not self._db:
            return None
        query = "SELECT value FROM memory WHERE backend = ? AND key = ?"
        row = self._db.execute(query, (backend, key)).fetchone()
        return row[0] if row else None

    def retries(self) -> dict[str, int]:
        """Key of a job whose result failed a check → the repeat that has taken its place."""
        query = "SELECT key, value FROM memory WHERE backend = ?"
        rows = self._db.execute(query, (RETRIES,)) if self._db else ()
        return {key: int(value) for key, value in rows if value.isdecimal()}

    def blobs(self) -> Iterator[tuple[str, int]]:
        """(sha256, bytes) of every result that the ledger relies on."""
        query = "SELECT DISTINCT blob, size FROM attempt WHERE blob <> '' ORDER BY blob"
        yield from self._db.execute(query) if self._db else ()

    def money(self) -> Commitments:
        """What was spent, is in flight and is unknown, in all. As the provider reported it; limits
        count by `charges`."""
        if not self._db:
            return Commitments(0, 0, 0)
        row = self._db.execute(
            "SELECT"
            " sum(CASE WHEN billed = 'yes' THEN coalesce(cost, price) END),"
            " sum(CASE WHEN billed = 'unknown' AND state IN ('INTENT', 'ACCEPTED') THEN price END),"
            " sum(CASE WHEN billed = 'unknown' AND state NOT IN ('INTENT', 'ACCEPTED')"
            "     THEN price END)"
            ", min(price), min(cost)"
            " FROM attempt"
        ).fetchone()
        checks.check_money(*row)
        return Commitments(*(value or 0 for value in row[:3]))

    def charges(self) -> list[Charge]:
        """Every call that cost money or may have, and every result bought elsewhere, in the order in
        which they were made."""
        if not self._db:
            return []
        found = self._db.execute(
            "SELECT attempt.id, coalesce(run.recipe, ''), backend, model, created,"
            " CASE billed WHEN 'yes' THEN 'spent' WHEN 'no' THEN 'adopted' ELSE"
            "  CASE WHEN state IN ('INTENT', 'ACCEPTED') THEN 'in_flight' ELSE 'unknown' END END,"
            " price, cost, floor, json_extract(details, '$.' || ?)"
            " FROM attempt LEFT JOIN run ON run.id = attempt.run_id"
            " WHERE (billed <> 'no' OR blob <> '') AND (price > 0 OR coalesce(cost, 0) > 0)"
            " ORDER BY attempt.id",
            (SERVER_TIME,),
        )
        charges = [
            Charge._make((*row[:5], KINDS[row[5]], *row[6:9], moment(row[9]))) for row in found
        ]
        for charge in charges:
            checks.check_money(charge.price, charge.cost, charge.floor)
        return charges

    def paid_backends(self, in_doubt: bool = False) -> list[str]:
        """Names of the backends that calls with a price were made with, sorted; `in_doubt`: of calls
        that may be looked up in the provider's records."""
        open_yet = f"state IN ('INTENT', 'UNKNOWN') OR ({_GIVEN_UP})" if in_doubt else "TRUE"
        query = (
            f"SELECT DISTINCT backend FROM attempt WHERE price > 0 AND ({open_yet})"
            " ORDER BY backend"
        )
        return [row[0] for row in self._db.execute(query)] if self._db else []

    def recipes(self) -> list[tuple[str, str]]:
        """(name, file) of all recipes that were ever run here; the file may be empty."""
        query = "SELECT DISTINCT recipe, file FROM run"
        return list(self._db.execute(query)) if self._db else []

    def index_position(self) -> tuple[int, str] | None:
        """How far the blob store's index was found to agree with this ledger: (bytes, sha256 of their
        end). None: not at all, or the ledger has lost moves since, so it is not to be believed."""
        if not self._db:
            return None
        query = (
            "SELECT offset, tail FROM index_position"
            " WHERE moves <= (SELECT coalesce(max(id), 0) FROM history)"
        )
        row: tuple[int, str] | None = self._db.execute(query).fetchone()
        return row

    def missing(
        self, found: Sequence[IndexedAttempts], is_whole: Callable[[str], bool]
    ) -> list[Difference]:
        """What the index has `found` and this ledger does not know; see `restoring.differences`."""
        return restoring.differences(self._db, found, is_whole) if self._db else []

    @contextmanager
    def with_put_back(self, missing: Sequence[Difference]) -> Iterator[tuple[Reader, Restoration]]:
        """A copy of the ledger, in memory, into which `missing` was put back."""
        assert self._db
        with closing(_copy(self._db)) as copy:
            yield Reader(copy), restoring.apply(copy, missing)

    def copy_to(self, target: sqlite3.Connection) -> None:
        """All of it, as it is at this moment. Raises sqlite3.Error."""
        assert self._db
        self._db.backup(target)

    def check_agreement(self) -> None:
        """Raises StorageError where the ledger contradicts its own history, as one does whose file was
        replaced by an older copy beside the newer `-wal`."""
        if self._db and not agrees(self._db):
            raise StorageError(damaged(self._path, MIXED))

    def call_seconds(self, backend: str, model: str) -> list[float]:
        """How long the latest calls of a model took, from INTENT to the stored result. Only the end of
        the history is looked at."""
        query = (
            "SELECT max(at) - min(at) FROM history JOIN attempt ON attempt.id = attempt_id"
            " WHERE history.id > (SELECT coalesce(max(id), 0) FROM history) - ?"
            " AND history.state IN ('INTENT', 'STORED') AND backend = ? AND model = ?"
            " AND attempt.billed = 'yes' GROUP BY attempt_id HAVING count(*) = 2"
        )
        found = self._db.execute(query, (_RECENT, backend, model)) if self._db else ()
        return [seconds for (seconds,) in found if 0 < seconds < _LONGEST_CALL]

    def unknown_of_plan(self, plan: str) -> frozenset[str]:
        """Keys of the jobs whose outcome is unknown since a run that applied the plan file with this
        sha256."""
        query = (
            "SELECT job_key FROM attempt JOIN run ON run.id = attempt.run_id"
            f" WHERE {NOT_ENDED} AND state = 'UNKNOWN' AND run.plan = ?"
        )
        return (
            frozenset(r[0] for r in self._db.execute(query, (plan,))) if self._db else frozenset()
        )

    def restorable(self) -> list[tuple[int, IndexedAttempts]]:
        """Every attempt by its number, oldest first, as it could be put into another ledger."""
        return list(restoring.restorable(self._db)) if self._db else []

    def runs(self) -> list[tuple[str, str, int | None]]:
        """(id, recipe, exit code) of every run, in the order in which they began; the code is None where
        the process did not live to say it."""
        query = "SELECT id, recipe, exit_code FROM run ORDER BY rowid"
        return list(self._db.execute(query)) if self._db else []

    def last_attempt(self) -> int:
        """The number of the attempt that was made last; 0: none was."""
        query = "SELECT coalesce(max(id), 0) FROM attempt"
        number: int = self._db.execute(query).fetchone()[0] if self._db else 0
        return number

    def last_run(self) -> tuple[str, str, float, float | None, int | None] | None:
        """(id, recipe, started, ended, exit code) of the latest run."""
        query = (
            "SELECT id, recipe, started, ended, exit_code FROM run ORDER BY started DESC LIMIT 1"
        )
        return self._db.execute(query).fetchone() if self._db else None

    def states(self) -> dict[str, int]:
        """How many attempts stand in each state."""
        query = "SELECT state, count(*) FROM attempt GROUP BY state"
        return dict(self._db.execute(query)) if self._db else {}


@contextmanager
def open_reader(path: Path) -> Iterator[Reader]:
    """A reader of the ledger at `path`; an empty one where no ledger is yet.

    Raises StorageError where it is damaged or comes from a newer version, RefusedError where it may
    not be believed (`checks`).
    """
    checks.check_files(path)
    if not path.exists():
        yield Reader(None)
        return
    with ExitStack() as stack:
        try:
            db = stack.enter_context(closing(_connected(path)))
            checks.harden(db)
            db.execute("BEGIN")  # another process may be bringing the ledger to this version
            version = db.execute("PRAGMA user_version").fetchone()[0]
            application = db.execute("PRAGMA application_id").fetchone()[0]
            blank = is_blank(db)
            check(path, blank, application, version)
            if not blank:
                checks.check_schema(db, path, version)
            db.execute("COMMIT")
            if not blank and version < migrations.VERSION:
                db = stack.enter_context(closing(_copy(db)))
                migrations.migrate(db)
            yield Reader(None if blank else db, path)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # sqlite3 may quote the damage
            raise StorageError(damaged(path, str(error))) from error


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None,
        check_same_thread=False, timeout=5,
    )  # fmt: skip


def _copy(db: sqlite3.Connection) -> sqlite3.Connection:
    """In memory, so that it can be changed where a file must not be."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.backup(copy)
    return copy
