from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import Commitments, open_reader
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


@pytest.mark.parametrize("exit_code", [None, 4, 6, 75, 130, 143])
async def test_a_run_that_was_cut_off_and_the_next_one_have_one_cap(
    path: Path, exit_code: int | None
) -> None:
    ledger = Ledger(path, Time())
    await bought(ledger, "first", 0)
    await bought(ledger, "second", exit_code)
    await bought(ledger, "third", None)
    ledger.close()
    with open_reader(path) as reader:
        assert reader.money(campaign="demo").spent == 2 * PRICE
        assert reader.money().spent == 3 * PRICE


@pytest.mark.parametrize("exit_code", [0, 1, 5, 7])
async def test_a_run_that_came_to_its_end_leaves_the_next_its_own_cap(
    path: Path, exit_code: int
) -> None:
    ledger = Ledger(path, Time())
    await bought(ledger, "first", exit_code)
    await bought(ledger, "second", None)
    ledger.close()
    with open_reader(path) as reader:
        assert reader.money(campaign="demo").spent == PRICE


async def test_a_run_whose_purchase_goes_on_ends_no_campaign_whatever_its_exit_code(
    path: Path,
) -> None:
    ledger = Ledger(path, Time())
    await bought(ledger, "first", 75)
    await ledger.run_started("only collects", "demo")
    await ledger.run_ended("only collects", 0, goes_on=True)
    ledger.close()
    with open_reader(path) as reader:
        assert reader.money(campaign="demo").spent == PRICE


async def test_a_clock_that_was_put_back_hides_no_spending_from_the_cap(path: Path) -> None:
    ledger = Ledger(path, iter([*range(9000, 9004), *range(1, 99)]).__next__)
    await bought(ledger, "first", 0)
    await bought(ledger, "second", None)
    ledger.close()
    with open_reader(path) as reader:
        assert reader.money(campaign="demo").spent == PRICE


async def test_what_is_in_the_air_counts_from_all_times(path: Path) -> None:
    ledger = Ledger(path, Time())
    await ledger.advance(await ledger.intend(job_of(), "first", PRICE), Accepted("r"))
    await ledger.run_started("first", "demo")
    await ledger.run_ended("first", 0)
    ledger.close()
    with open_reader(path) as reader:
        assert reader.money(campaign="demo") == Commitments(0, PRICE, 0)


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


async def test_what_another_recipe_spent_does_not_count_against_a_cap(path: Path) -> None:
    ledger = Ledger(path, Time())
    await bought(ledger, "mine", None)
    await ledger.run_started("theirs", "other")
    attempt = await ledger.intend(job_of("theirs"), "theirs", PRICE)
    await ledger.stored(attempt, Result("b" * 64, 1, 1, 1, "image/png"), PRICE)
    ledger.close()
    with open_reader(path) as reader:
        assert reader.money(campaign="demo").spent == PRICE
        assert reader.money(campaign="other").spent == PRICE


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
