from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from relightflow.errors import StorageError
from relightflow.ledger import migrations
from relightflow.ledger.ledger import DuplicateAttempt, DuplicateRequest, Ledger
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.outcome import Result
from relightflow.model.step import Accepted, ResultKnown
from relightflow.model.values import FrozenMap
from tests.ledger.conftest import job_of

RESULT = Result("b" * 64, 10, 2, 2, "image/png", "request")


def pragma(ledger: Ledger, name: str) -> object:
    return ledger.change_now(lambda db: db.execute(f"PRAGMA {name}").fetchone()[0])


def test_commits_are_durable(ledger: Ledger) -> None:
    assert pragma(ledger, "journal_mode") == "wal"
    assert pragma(ledger, "synchronous") == 2  # FULL, sqlite.org/pragma.html#pragma_synchronous


def test_commits_of_a_free_run_do_not_wait_for_the_disk(path: Path) -> None:
    ledger = Ledger(path, durable=False)
    assert pragma(ledger, "synchronous") == 1  # NORMAL
    ledger.close()
    again = Ledger(path)
    assert pragma(again, "synchronous") == 2
    again.close()


def test_the_file_is_its_owners_alone(ledger: Ledger, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_second_intent_for_a_job_is_refused(ledger: Ledger) -> None:
    await ledger.intend(job_of(), "run", 50_000)
    with pytest.raises(DuplicateAttempt):
        await ledger.intend(job_of(), "run", 50_000)


async def test_of_many_intents_at_once_for_one_job_one_is_taken(ledger: Ledger) -> None:
    tries = [ledger.intend(job_of(), "run", 50_000) for _ in range(50)]
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(end, int) for end in ends) == 1
    assert sum(isinstance(end, DuplicateAttempt) for end in ends) == 49


async def _commits_of(ledger: Ledger, jobs: int, at_once: bool) -> int:
    """How many commits the whole lives of `jobs` take, over v2."""
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    await ledger.change(lambda db: db.set_trace_callback(count))
    commits = 0  # without the one that switched the counting on

    async def live(number: int) -> None:
        attempt = await ledger.intend(job_of(str(number)), "run", 50_000)
        await ledger.advance(attempt, Accepted(f"request-{attempt}"))
        await ledger.advance(attempt, ResultKnown(f"request-{attempt}", "https://studio/x", 50_000))
        await ledger.stored(attempt, RESULT, 50_000)
        ledger.enqueue_delivered((), [attempt])

    if at_once:
        await asyncio.gather(*(live(number) for number in range(jobs)))
    else:
        for number in range(jobs):
            await live(number)
    return commits


async def test_a_job_takes_four_commits_when_it_is_alone(ledger: Ledger) -> None:
    assert await _commits_of(ledger, 10, at_once=False) == 4 * 10


async def test_many_jobs_share_their_commits(ledger: Ledger) -> None:
    assert await _commits_of(ledger, 64, at_once=True) <= 64


async def test_a_change_that_breaks_a_rule_fails_alone_and_leaves_nothing(ledger: Ledger) -> None:
    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO memory VALUES ('b', 'half', 'v')")
        db.execute("DELETE FROM history")
        db.execute("UPDATE attempt SET state = 'GONE'")

    await ledger.intend(job_of(), "run", 50_000)
    ends = await asyncio.gather(
        ledger.remember("b", "first", "v"),
        ledger.change(half),
        ledger.remember("b", "last", "v"),
        return_exceptions=True,
    )
    assert ends[0] is ends[2] is None
    assert isinstance(ends[1], sqlite3.IntegrityError)
    kept = await ledger.change(lambda db: db.execute("SELECT key FROM memory").fetchall())
    assert kept == [("first",), ("last",)]


async def test_a_value_that_cannot_be_kept_fails_alone(ledger: Ledger) -> None:
    ends = await asyncio.gather(
        ledger.intend(job_of("huge"), "run", 2**70),
        ledger.intend(job_of("sound"), "run", 50_000),
        return_exceptions=True,
    )
    assert isinstance(ends[0], OverflowError)
    assert isinstance(ends[1], int)
    await ledger.intend(job_of("later"), "run", 50_000)


async def test_words_with_half_characters_are_kept_readable(ledger: Ledger) -> None:
    failure = Failure(FailureKind.BAD_IMAGE, "caf\udce9.png cannot be read", request_id="r\ud800")
    await ledger.note_failure(job_of(), "run", failure)
    attempt = await ledger.intend(job_of("other"), "run", 50_000)
    await ledger.advance(attempt, Accepted("id\udcff", FrozenMap({"a": "\udcff"})))
    await ledger.close_attempt(attempt, State.FAILED, failure)
    reasons = await ledger.change(lambda db: db.execute("SELECT reason FROM attempt").fetchall())
    assert reasons == [("caf?.png cannot be read",)] * 2


async def test_what_was_left_in_intent_is_unknown_unless_it_was_free(
    ledger: Ledger, path: Path
) -> None:
    await ledger.intend(job_of("paid"), "run", 50_000)
    await ledger.intend(job_of("free"), "run", 0)
    await ledger.intend(job_of("foreign", backend="other"), "run", 50_000)
    left = await ledger.interrupted_intents("studio")
    assert len(left) == 2
    with open_reader(path) as reader:
        stand = {a.job_key: (a.state, a.billed) for a in reader.attempts()}
    assert stand == {
        job_of("paid").key: (State.UNKNOWN, Billed.UNKNOWN),
        job_of("free").key: (State.READY, Billed.NO),
        job_of("foreign").key: (State.INTENT, Billed.UNKNOWN),
    }


async def test_details_of_every_step_are_kept_together(ledger: Ledger, path: Path) -> None:
    attempt = await ledger.intend(job_of(), "run", 1, FrozenMap({"sent": "x"}))
    await ledger.advance(attempt, Accepted("request", FrozenMap({"api": "v2"})))
    with open_reader(path) as reader:
        found = reader.attempt(attempt)
    assert found
    assert found.details == {"sent": "x", "api": "v2"}


def filled(path: Path, jobs: int = 40) -> list[str]:
    async def fill() -> list[str]:
        keys = []
        for number in range(jobs):
            job = job_of(str(number))
            keys.append(job.key)
            attempt = await ledger.intend(job, "run", 50_000)
            await ledger.stored(attempt, RESULT, 50_000)
        return keys

    ledger = Ledger(path)
    try:
        return asyncio.run(fill())
    finally:
        ledger.close()


def test_a_newer_version_is_refused_and_the_file_not_touched(path: Path) -> None:
    filled(path)
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {migrations.VERSION + 1}")
    db.close()
    before = path.read_bytes()
    for use in (lambda: Ledger(path), lambda: open_reader(path).__enter__()):
        with pytest.raises(StorageError, match=r"newer relightflow .*Upgrade"):
            use()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"not a database at all", b"SQLite format 3\0" + b"\0" * 84, b"\0" * 5000],
    ids=["text", "header", "zeros"],
)
def test_what_is_no_database_is_refused_with_a_way_out(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for use in (lambda: Ledger(path), lambda: open_reader(path).__enter__()):
        with pytest.raises(StorageError, match=r"nothing was sent.*relightflow rebuild"):
            use()
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.commit()
    db.close()
    with pytest.raises(StorageError, match="not a ledger"):
        Ledger(path)


def can_buy(path: Path, keys: list[str]) -> list[str]:
    """Which of `keys`, all of them stored, the ledger at `path` would let somebody buy again."""
    ledger = Ledger(path)
    try:
        with open_reader(path) as reader:
            known = reader.job_states(keys)
        names = {job_of(str(number)).key: str(number) for number in range(len(keys))}

        async def buy(key: str) -> bool:
            try:
                await ledger.intend(job_of(names[key]), "again", 50_000)
            except DuplicateAttempt:
                return False
            return True

        async def buy_all() -> list[str]:
            return [key for key in keys if key not in known and await buy(key)]

        return asyncio.run(buy_all())
    finally:
        ledger.close()


def damage_everywhere(path: Path, damage: Callable[[bytes, int], bytes], places: range) -> int:
    """How many of the damages were refused; the others must not let anything be bought again."""
    keys = filled(path)
    sound = path.read_bytes()
    refused = 0
    for place in places:
        harmed = path.with_name(f"harmed-{place}")
        harmed.write_bytes(damage(sound, place % len(sound)))
        try:
            assert can_buy(harmed, keys) == [], place
        except StorageError as error:
            refused += "relightflow rebuild" in str(error) or "newer relightflow" in str(error)
        for left in path.parent.glob("harmed-*"):
            left.unlink()
    return refused


def test_a_truncated_ledger_is_refused_wherever_it_ends(path: Path) -> None:
    places = range(100, 40_000, 1777)
    assert damage_everywhere(path, lambda data, place: data[:place], places) == len(places)


def test_flipped_bytes_never_let_a_stored_job_be_bought_again(path: Path) -> None:
    def flip(data: bytes, place: int) -> bytes:
        return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]

    assert damage_everywhere(path, flip, range(0, 200_000, 1499)) > 10


async def test_a_call_may_be_answered_with_the_results_place_at_once(ledger: Ledger) -> None:
    attempt = await ledger.intend(job_of(), "run", 50_000)
    await ledger.advance(attempt, ResultKnown("request", "https://studio/x", 50_000))


async def test_a_request_id_that_another_job_has_is_refused(ledger: Ledger) -> None:
    first, second = [await ledger.intend(job_of(name), "run", 50_000) for name in ("one", "two")]
    await ledger.advance(first, Accepted("request-1"))
    with pytest.raises(DuplicateRequest):
        await ledger.advance(second, Accepted("request-1"))
    await ledger.advance(second, Accepted("request-2"))


async def test_a_ledger_that_contradicts_its_history_is_not_written_to(
    ledger: Ledger, path: Path
) -> None:
    attempt = await ledger.intend(job_of(), "run", 50_000)
    move = "INSERT INTO history (attempt_id, state, billed, reason, at) VALUES (?, 'DONE', 'no', '', 0)"
    ledger.change_now(lambda db: db.execute(move, (attempt,)))
    ledger.close()
    assert not path.with_name(path.name + "-wal").exists(), "it was closed in order"
    with pytest.raises(StorageError, match="contradicts its own history"):
        Ledger(path)
