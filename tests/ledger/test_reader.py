from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import Commitments, Reader, open_reader
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.outcome import Result
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown
from tests.ledger.conftest import job_of

PRICE = 50_000
DOUBT = Failure(FailureKind.UNKNOWN, "no answer", Billed.UNKNOWN)


class Time:
    """A wall clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


async def one_of_each(ledger: Ledger) -> None:
    """An attempt in every state, each at the price of 50,000; one cost less."""

    async def intend(name: str, price: int = PRICE) -> int:
        return await ledger.intend(job_of(name), "run", price)

    await intend("in the air")
    await ledger.advance(await intend("accepted"), Accepted("r1"))
    await ledger.advance(await intend("known"), ResultKnown("r2", "https://studio/2", 30_000))
    await ledger.advance(await intend("cut"), PaidUnfetched("r3", None))
    await ledger.close_attempt(await intend("doubt"), State.UNKNOWN, DOUBT)
    await ledger.close_attempt(
        await intend("refused"), State.FAILED, Failure(FailureKind.JOB_FAILED, "x")
    )
    bad = Failure(FailureKind.BAD_RESULT, "no image", Billed.YES)
    await ledger.close_attempt(await intend("bad"), State.FAILED, bad)
    await ledger.close_attempt(
        await intend("retried"), State.READY, Failure(FailureKind.UNSENT, "x")
    )
    await ledger.close_attempt(await intend("given up"), State.UNKNOWN, DOUBT)
    result = Result("b" * 64, 1, 1, 1, "image/png")
    await ledger.stored(await intend("stored"), result, PRICE)
    await ledger.stored(await intend("free", 0), result, 0)


async def test_money_is_counted_once_and_unknown_costs_at_their_highest(
    ledger: Ledger, path: Path
) -> None:
    await one_of_each(ledger)
    with open_reader(path) as reader:
        money = reader.money()
    # known 30,000; cut, bad and stored 50,000 each / in the air, accepted / doubt, given up
    assert money == Commitments(180_000, 100_000, 100_000)


async def test_a_doubt_that_was_given_up_goes_on_counting(ledger: Ledger, path: Path) -> None:
    attempt = await ledger.intend(job_of(), "run", PRICE)
    await ledger.close_attempt(attempt, State.UNKNOWN, DOUBT)
    await ledger.close_attempt(attempt, State.READY, DOUBT)
    with open_reader(path) as reader:
        assert reader.money() == Commitments(0, 0, PRICE)


async def bought(ledger: Ledger, run: str, exit_code: int | None) -> None:
    await ledger.run_started(run, "demo")
    attempt = await ledger.intend(job_of(run), run, PRICE)
    await ledger.stored(attempt, Result("b" * 64, 1, 1, 1, "image/png"), PRICE)
    if exit_code is not None:
        await ledger.run_ended(run, exit_code)


async def test_charges_say_whose_they_are_and_what_they_count_at(path: Path) -> None:
    ledger = Ledger(path, Time())
    await ledger.run_started("mine", "demo", "/project/recipe.yaml")
    cheap = await ledger.intend(job_of("cheap"), "mine", PRICE)
    await ledger.stored(cheap, Result("b" * 64, 1, 1, 1, "image/png"), 1)
    ranged = await ledger.intend(job_of("range"), "mine", PRICE, floor=10)
    await ledger.stored(ranged, Result("b" * 64, 1, 1, 1, "image/png"), 20)
    await ledger.intend(job_of("air"), "of a lost ledger", PRICE)
    ledger.close()
    with open_reader(path) as reader:
        charges = reader.charges()
        assert reader.recipes() == [("demo", "/project/recipe.yaml")]
    assert [charge.recipe for charge in charges] == ["demo", "demo", ""]
    assert [charge.kind for charge in charges] == ["spent", "spent", "in_flight"]
    assert [charge.counted for charge in charges] == [PRICE, 20, PRICE]
    assert [charge.reported for charge in charges] == [1, 20, PRICE]


def test_a_reader_cannot_write(ledger: Ledger, path: Path) -> None:
    ledger.change_now(lambda db: None)
    with open_reader(path) as reader:
        assert reader._db
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._db.execute("DELETE FROM memory")


async def test_a_reader_sees_what_a_writer_commits_meanwhile(ledger: Ledger, path: Path) -> None:
    with open_reader(path) as reader:
        assert reader.attempts() == []
        await ledger.intend(job_of(), "run", PRICE)
        assert len(reader.attempts()) == 1


def test_where_no_ledger_is_nothing_is_created(path: Path) -> None:
    with open_reader(path) as reader:
        assert reader.empty
        assert reader.money() == Commitments(0, 0, 0)
        assert reader.job_states(["k"]) == {}
        assert reader.attempts() == reader.open_attempts() == reader.unknown_attempts() == []
        assert reader.last_run() is None
    assert list(path.parent.iterdir()) == []


async def test_a_few_thousand_keys_can_be_asked_for_at_once(ledger: Ledger, path: Path) -> None:
    await ledger.intend(job_of("7"), "run", PRICE)
    keys = [job_of(str(number)).key for number in range(5000)]
    with open_reader(path) as reader:
        assert list(reader.job_states(keys)) == [job_of("7").key]


def test_a_ledger_whose_maker_died_before_its_tables_is_no_ledger_yet(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    assert path.stat().st_size
    with open_reader(path) as reader:
        assert reader.empty
    Ledger(path).close()
    with open_reader(path) as reader:
        assert not reader.empty


async def test_bought_jobs_are_those_that_came_to_something_or_may_have(
    ledger: Ledger, path: Path
) -> None:
    await one_of_each(ledger)
    bought = (
        "in the air",
        "accepted",
        "known",
        "cut",
        "doubt",
        "bad",
        "given up",
        "stored",
        "free",
    )
    keys = [job_of(name).key for name in (*bought, "refused", "retried", "never")]
    with open_reader(path) as reader:
        assert reader.bought_jobs(keys) == set(keys[: len(bought)])


def test_without_a_ledger_no_job_was_bought(path: Path) -> None:
    with open_reader(path) as reader:
        assert reader.bought_jobs(["k"]) == set()


@pytest.mark.parametrize(
    "asked",
    [
        lambda reader: reader.open_attempts(),
        lambda reader: reader.open_attempts("studio"),
        lambda reader: reader.unknown_attempts("studio"),
        lambda reader: reader.unknown_of_plan("5" * 64),
    ],
)
async def test_what_is_open_is_found_without_reading_every_attempt(
    ledger: Ledger, path: Path, asked: Callable[[Reader], object]
) -> None:
    await one_of_each(ledger)
    said: list[str] = []
    with closing(sqlite3.connect(path)) as db:
        db.set_trace_callback(said.append)
        asked(Reader(db))
        db.set_trace_callback(None)
        steps = [row[3] for query in said for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]
    attempts = [step for step in steps if " attempt" in step]
    assert attempts
    assert all("USING INDEX attempt_open" in step for step in attempts), attempts
