"""The ledger: one writer thread, one connection, every answer durable.

WAL with `synchronous=FULL`: when a call returns, the change survives a power cut
(sqlite.org/wal.html). Changes that arrive while a commit runs share the next one.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from relightflow.core import failpoints
from relightflow.core.group_commit import COMMIT_DELAY, GroupCommit
from relightflow.errors import StorageError
from relightflow.ledger import checks, migrations, restoring, rows, schema, transaction
from relightflow.ledger.checks import RECOVER
from relightflow.ledger.restoring import Difference
from relightflow.ledger.transaction import Change
from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import Undecided
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.money import Micros
from relightflow.model.outcome import Result
from relightflow.model.restoration import Restoration
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown
from relightflow.model.values import FrozenMap, canonical_json

T = TypeVar("T")
_NO_DETAILS = FrozenMap()


GIVEN_UP = Failure(
    FailureKind.UNKNOWN, "abandoned and submitted again, as decided by the operator", Billed.UNKNOWN
)
"""How an unknown attempt ends for which another one is made. It goes on counting as perhaps billed."""


class DuplicateAttempt(Exception):
    """The job already has an attempt that is open, stored or paid: nothing may be bought."""


class DuplicateRequest(Exception):
    """The provider gave one request id for two jobs: whose result it is cannot be known."""


RETRIES = "relightflow:retries"
"""What the notes on retries stand under; no backend's name has a colon."""


class Ledger:
    """The write side. Methods may be called from any task of one event loop."""

    def __init__(
        self, path: Path, now: Callable[[], float] = time.time, *, durable: bool = True
    ) -> None:
        """Open or create the ledger at `path`. `durable`: False where a power cut may take back the
        last changes (never what was there before: sqlite.org/pragma.html#pragma_synchronous).

        Raises StorageError where it cannot be read, is damaged, or comes from a newer version.
        """
        self.path = path
        self._now = now
        self._connection = _open(path)
        if not durable:
            self._connection.execute("PRAGMA synchronous = NORMAL")
        self._batcher: GroupCommit[Change, Any] = GroupCommit(
            self._commit, "ledger", linger=COMMIT_DELAY, only_when_busy=True
        )

    def close(self) -> None:
        self._batcher.close()
        self._connection.close()

    async def change(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change` inside the next commit; returns what it returned, once durable."""
        return cast(T, await self._batcher.ask(change))

    def change_now(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """The same for code that has no event loop."""
        return cast(T, self._batcher.ask_and_wait(change))

    async def intend(
        self,
        job: Job,
        run_id: str,
        price: Micros,
        details: FrozenMap = _NO_DETAILS,
        instead_of: int | None = None,
        uuid: str = "",
        floor: Micros | None = None,
    ) -> int:
        """Write INTENT and give the attempt's id. Raises DuplicateAttempt.

        `instead_of`: an unknown attempt that is given up in the same breath. `uuid`: what the blob
        store's index calls the attempt. `floor`: the lowest price on the list; None: `price`.
        """
        now = self._now()
        floor = price if floor is None else floor
        row = rows.new_attempt(
            job, run_id, price, "INTENT", now, details=details, uuid=uuid, floor=floor
        )

        def put(db: sqlite3.Connection) -> int:
            if instead_of is not None:
                rows.update(db, instead_of, rows.of_failure(State.READY, GIVEN_UP, now))
            return rows.insert(db, row)

        try:
            return await self.change(put)
        except sqlite3.IntegrityError as error:
            raise DuplicateAttempt(job.key) from error

    async def advance(self, attempt_id: int, step: Accepted | ResultKnown | PaidUnfetched) -> None:
        """Write down how far the call has come.

        Raises DuplicateRequest where another job's attempt bears the step's request id.
        """
        values = rows.of_step(step, self._now())
        details = canonical_json(step.details)

        def put(db: sqlite3.Connection) -> None:
            if rows.another_job_has(db, attempt_id, step.request_id):
                raise DuplicateRequest(step.request_id)
            rows.update(db, attempt_id, values, details)

        await self.change(put)

    async def stored(self, attempt_id: int, result: Result, cost: Micros | None) -> None:
        """The bytes are durable in the blob store; `cost` None: the highest price is assumed."""
        values = rows.of_result(result, cost, self._now())
        details = canonical_json(result.details)
        await self.change(lambda db: rows.update(db, attempt_id, values, details))

    async def close_attempt(self, attempt_id: int, state: State, failure: Failure) -> None:
        """The call ended without an image: READY, FAILED or UNKNOWN."""
        values = rows.of_failure(state, failure, self._now())
        await self.change(lambda db: rows.update(db, attempt_id, values))

    def close_attempt_now(
        self, attempt_id: int, state: State, failure: Failure, details: FrozenMap = _NO_DETAILS
    ) -> None:
        """The same for code that has no event loop."""
        values = rows.of_failure(state, failure, self._now())
        more = canonical_json(details)
        self.change_now(lambda db: rows.update(db, attempt_id, values, more))

    def note_now(self, attempt_id: int, details: FrozenMap) -> None:
        """Add to an attempt's details, for code that has no event loop."""
        values, more = {"updated": self._now()}, canonical_json(details)
        self.change_now(lambda db: rows.update(db, attempt_id, values, more))

    async def note_undecided(self, found: Sequence[tuple[int, Undecided]]) -> None:
        """Why the provider's records have not settled attempts, so that it can be told without asking
        them again."""
        now = self._now()
        notes = [(attempt_id, canonical_json(why.note)) for attempt_id, why in found]

        def put(db: sqlite3.Connection) -> None:
            for attempt_id, note in notes:
                rows.update(db, attempt_id, {"updated": now}, note)

        await self.change(put)

    async def revive(self, attempt: Attempt, step: Accepted | ResultKnown) -> bool:
        """A given-up attempt turns out to have been taken. True: it goes on, as a new attempt; False:
        the job was bought again meanwhile, so that only its cost is put right."""
        now = self._now()
        return await self.change(lambda db: rows.revive(db, attempt, step, now))

    async def correct(self, attempt_id: int, failure: Failure) -> None:
        """What is known by now of an attempt that has ended; its state stays."""
        values = rows.of_failure("", failure, self._now())
        del values["state"]
        await self.change(lambda db: rows.update(db, attempt_id, values))

    async def restore(self, attempt: rows.Restored) -> int:
        """Write down an attempt that another machine made, and give its id.

        Raises DuplicateAttempt where the job has one that is alive here.
        """
        now = self._now()
        try:
            return await self.change(lambda db: rows.insert_one_restored(db, attempt, now))
        except sqlite3.IntegrityError as error:
            raise DuplicateAttempt(attempt.job_key) from error

    def put_back_now(self, missing: Sequence[Difference], position: tuple[int, str]) -> Restoration:
        """Write down what the blob store's index knows and this ledger did not, and how far (bytes,
        sha256 of their end) the two agree now. Blocks."""

        def put(db: sqlite3.Connection) -> Restoration:
            restoration = restoring.apply(db, missing)
            restoring.note_position(db, position)
            return restoration

        return self.change_now(put)

    def enqueue_index_position(self, position: tuple[int, str]) -> None:
        """The same of the position alone, with the next commit, which it does not wait for."""
        self._batcher.enqueue(lambda db: restoring.note_position(db, position))

    async def note_failure(self, job: Job, run_id: str, failure: Failure) -> None:
        """A job failed before any call was made; nothing was billed."""
        row = rows.new_attempt(
            job, run_id, 0, "FAILED", self._now(), kind=failure.kind, reason=failure.message
        )
        try:
            await self.change(lambda db: rows.insert(db, row))
        except sqlite3.IntegrityError as error:
            raise DuplicateAttempt(job.key) from error

    def delivered_now(
        self, deliveries: Sequence[rows.Delivered], attempt_ids: Sequence[int] = ()
    ) -> None:
        """Files that sinks hold now; `attempt_ids`: the jobs that every sink has had a copy of.
        Blocks until it is durable."""
        self.change_now(self._put(deliveries, attempt_ids))

    def enqueue_delivered(
        self, deliveries: Sequence[rows.Delivered], attempt_ids: Sequence[int]
    ) -> None:
        """The same with the next commit, which it does not wait for: what is lost with it is looked
        at again by the next run."""
        self._batcher.enqueue(self._put(deliveries, attempt_ids))

    def _put(self, deliveries: Sequence[rows.Delivered], attempt_ids: Sequence[int]) -> Change:
        now = self._now()

        def put(db: sqlite3.Connection) -> None:
            rows.put_deliveries(db, deliveries, attempt_ids, now)

        return put

    def forget_now(self, sink: str, paths: Sequence[str]) -> None:
        """Files of `sink` that are gone and will not be made again. Blocks."""
        self.change_now(lambda db: rows.drop_deliveries(db, sink, paths))

    async def remember(self, backend: str, key: str, value: str | None) -> None:
        """Put a note of a backend's own; None takes it away."""
        if value is None:
            sql, facts = "DELETE FROM memory WHERE backend = ? AND key = ?", (backend, key)
        else:
            sql = "INSERT OR REPLACE INTO memory VALUES (?, ?, ?)"
            facts = (backend, key, value)  # type: ignore[assignment]  # a longer tuple
        await self.change(lambda db: db.execute(sql, facts))

    async def retried(self, key: str, repeat: int) -> None:
        """`repeat` has taken the place of the job `key`, whose result failed a check."""
        await self.remember(RETRIES, key, str(repeat))

    async def run_started(self, run_id: str, recipe: str, file: str = "", plan: str = "") -> None:
        """`file`: the recipe's absolute path. `plan`: sha256 of the plan file that is applied."""
        facts = (run_id, recipe, rows.text(file), self._now(), plan)
        sql = "INSERT INTO run (id, recipe, file, started, plan) VALUES (?, ?, ?, ?, ?)"
        await self.change(lambda db: db.execute(sql, facts))

    async def run_ended(self, run_id: str, exit_code: int) -> None:
        facts = (self._now(), exit_code, run_id)
        sql = "UPDATE run SET ended = ?, exit_code = ? WHERE id = ?"
        await self.change(lambda db: db.execute(sql, facts))

    async def interrupted_intents(self, backend: str) -> Sequence[Attempt]:
        """At the start of a run: what the last process left in INTENT becomes UNKNOWN.

        A call that was free cannot have been billed, so it becomes READY. Gives the attempts.
        """
        reason = "the process ended between INTENT and an answer"
        facts = (reason, self._now(), backend)
        where = f"{schema.NOT_ENDED} AND state = 'INTENT' AND backend = ?"

        def settle(db: sqlite3.Connection) -> Sequence[Attempt]:
            found = rows.select(db, where, (backend,))
            db.execute(
                "UPDATE attempt SET state = CASE price WHEN 0 THEN 'READY' ELSE 'UNKNOWN' END,"
                " billed = CASE price WHEN 0 THEN 'no' ELSE 'unknown' END, reason = ?, updated = ?"
                f" WHERE {where}",
                facts,
            )
            return found

        return await self.change(settle)

    def _commit(self, changes: Sequence[Change]) -> Sequence[Any]:
        """One transaction for all of `changes`; one that breaks a rule fails alone."""
        db = self._connection
        try:
            answers = transaction.make_all(db, changes)
            failpoints.reach("before-commit")
            db.execute("COMMIT")
        except sqlite3.Error as error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise StorageError(f"the ledger could not be written: {error}") from error
        failpoints.reach("after-commit")
        return answers


def _open(path: Path) -> sqlite3.Connection:
    checks.check_files(path)
    unclean = _has_frames(path)
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(damaged(path, str(error))) from error
    try:
        _prepare(db, path, unclean)
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:  # sqlite3 may quote the damage
        db.close()
        raise StorageError(damaged(path, str(error))) from error
    except BaseException:
        db.close()
        raise
    return db


def _has_frames(path: Path) -> bool:
    """Whether a `-wal` file holds changes that the ledger's file lacks: the last process was killed,
    or another copy of the file was put beside it."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except OSError:
        return False


def _prepare(db: sqlite3.Connection, path: Path, unclean: bool) -> None:
    checks.harden(db)
    version = db.execute("PRAGMA user_version").fetchone()[0]
    application = db.execute("PRAGMA application_id").fetchone()[0]
    empty = is_blank(db)
    check(path, empty, application, version)
    if not empty:
        checks.check_schema(db, path, version)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    if empty:
        path.chmod(0o600)
        migrations.create(db)
    check_pragma = "integrity_check(1)" if unclean else "quick_check(1)"
    error = db.execute(f"PRAGMA {check_pragma}").fetchone()[0]
    if error != "ok":
        raise StorageError(damaged(path, error))
    if not agrees(db):
        raise StorageError(damaged(path, MIXED))
    migrations.migrate(db)
    db.execute("PRAGMA shrink_memory")  # the checks have read every page, and few are written to


MIXED = "it contradicts its own history: an older copy was put beside the newer -wal file"


def agrees(db: sqlite3.Connection) -> bool:
    """Whether every attempt is where its history says, so that no page of the file is older than
    another. (SQLite applies a `-wal` file to whatever file of that name it finds.)"""
    query = (
        "WITH last AS (SELECT attempt_id, max(id) AS id FROM history GROUP BY attempt_id)"
        " SELECT 1 FROM attempt LEFT JOIN last ON last.attempt_id = attempt.id"
        " LEFT JOIN history ON history.id = last.id WHERE history.state IS NOT attempt.state"
        " UNION ALL SELECT 1 FROM last WHERE attempt_id NOT IN (SELECT id FROM attempt) LIMIT 1"
    )
    return not db.execute(query).fetchone()


def is_blank(db: sqlite3.Connection) -> bool:
    """Whether nothing was ever written: the process that made the file died, or had no room, before
    its tables were durable. The same is true of a ledger that was cut off to nothing."""
    return not db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()


def check(path: Path, empty: bool, application: int, version: int) -> None:
    """Raises StorageError unless the file is a ledger that this version can use."""
    if empty and not version and not application:
        return
    if application != schema.APPLICATION_ID or version < schema.FIRST_VERSION:
        raise StorageError(damaged(path, "not a ledger of relightflow"))
    if version > migrations.VERSION:
        raise StorageError(
            f"the ledger {path} was written by a newer relightflow (format {version}, this one "
            f"supports {migrations.VERSION}); nothing was sent. Upgrade relightflow"
        )


def damaged(path: Path, why: str) -> str:
    """What to tell a user whose ledger cannot be used, and how to go on."""
    return f"the ledger {path} cannot be used ({why}); nothing was sent. {RECOVER}"
