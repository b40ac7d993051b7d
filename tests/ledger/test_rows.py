from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.errors import StorageError
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import open_reader
from relightflow.ledger.rows import Delivered, text
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.outcome import Result
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown
from relightflow.model.values import FrozenMap
from tests.ledger.conftest import job_of


@pytest.mark.parametrize("column", ["parameters", "details"])
def test_a_row_that_says_nonsense_is_a_damaged_ledger(path: Path, column: str) -> None:
    ledger = Ledger(path)
    attempt = ledger.change_now(
        lambda db: (
            db.execute(
                "INSERT INTO attempt (job_key, run_id, state, billed, backend, model, image_sha256,"
                " parameters, repeat, price, created, updated)"
                " VALUES ('k', 'r', 'INTENT', 'unknown', 'b', 'm', 'i', '{}', 0, 1, 0, 0)"
            ).lastrowid
        )
    )
    assert attempt
    ledger.change_now(lambda db: db.execute(f"UPDATE attempt SET {column} = '{{half'"))
    ledger.close()
    with (
        pytest.raises(StorageError, match=r"damaged.*relightflow rebuild"),
        open_reader(path) as reader,
    ):
        reader.attempt(attempt)


async def test_a_live_attempt_is_the_jobs_standing_whatever_failed_before_or_after(
    ledger: Ledger, path: Path
) -> None:
    first = await ledger.intend(job_of(), "run", 50_000)
    await ledger.close_attempt(
        first, State.FAILED, Failure(FailureKind.JOB_FAILED, "no", Billed.NO)
    )
    second = await ledger.intend(job_of(), "run", 50_000)
    await ledger.note_failure(job_of(), "run", Failure(FailureKind.BAD_IMAGE, "gone"))
    with open_reader(path) as reader:
        job_state = reader.job_states([job_of().key])[job_of().key]
    assert (job_state.attempt_id, job_state.state) == (second, State.INTENT)


async def test_without_a_live_attempt_the_last_closed_one_counts(
    ledger: Ledger, path: Path
) -> None:
    for reason in ("first", "last"):
        attempt = await ledger.intend(job_of(), "run", 50_000, FrozenMap())
        await ledger.close_attempt(attempt, State.FAILED, Failure(FailureKind.JOB_FAILED, reason))
    with open_reader(path) as reader:
        assert reader.job_states([job_of().key])[job_of().key].reason == "last"


def test_text_that_is_sound_is_kept_as_it_is() -> None:
    assert text("Füße 図 \x1b") == "Füße 図 \x1b"


async def test_a_call_costs_no_more_in_a_ledger_of_many(path: Path) -> None:
    """Counted in SQLite's own instructions: a look through all attempts would make a run of n paid jobs take
    n² of them."""
    steps = 0
    ledger = Ledger(path, durable=False)

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    async def life(name: str) -> int:
        before = steps
        attempt = await ledger.intend(job_of(name), "run", 50_000, uuid=name)
        await ledger.advance(attempt, Accepted(f"request of {name}"))
        await ledger.advance(attempt, ResultKnown(f"request of {name}", "https://studio/x", 50_000))
        await ledger.stored(attempt, Result("b" * 64, 1, 1, 1, "image/png"), 50_000)
        ledger.delivered_now([Delivered("files:/out", name, "b", "b", 1, "mark")], [attempt])
        other = await ledger.intend(job_of(f"other {name}"), "run", 50_000)
        await ledger.advance(other, PaidUnfetched(f"other request of {name}"))
        await ledger.close_attempt(other, State.FAILED, Failure(FailureKind.JOB_FAILED, "no"))
        return steps - before

    ledger.change_now(lambda db: db.set_progress_handler(count, 1))
    early = [await life(f"early {number}") for number in range(8)][-1]
    ledger.change_now(lambda db: db.set_progress_handler(None, 0))
    for number in range(100):
        await life(str(number))
    ledger.change_now(lambda db: db.set_progress_handler(count, 1))
    assert await life("late") < 1.2 * early
    ledger.close()
