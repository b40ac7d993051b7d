"""What the index of the blob store knows and a ledger does not, attempt by attempt, on real ledgers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from relightflow.ledger import restoring
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.restoring import IndexedAttempts, differences
from relightflow.ledger.rows import Restored
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.restoration import Restoration
from relightflow.model.step import Accepted
from tests.ledger.conftest import job_of

JOB = job_of()
BLOB = "b" * 64


def known(state: State, billed: Billed = Billed.UNKNOWN, **facts: Any) -> IndexedAttempts:
    """An attempt as the index tells of it."""
    attempt = Restored(
        job_key=JOB.key,
        run_id="run-1",
        state=state,
        billed=billed,
        backend=JOB.backend,
        model=JOB.model,
        image_sha256=JOB.image.sha256,
        parameters=JOB.parameters,
        repeat=0,
        price=50,
    )
    if state is State.STORED:
        image = {"blob": BLOB, "size": 9, "width": 2, "height": 2, "media_type": "image/png"}
        facts = image | {"request_id": "r"} | facts
    return IndexedAttempts(replace(attempt, **facts), 1_700_000_000.0, "demo")


def restore(ledger: Ledger, *found: IndexedAttempts, whole: bool = True) -> Restoration:
    def put(db: Any) -> Restoration:
        missing = differences(db, found, lambda _: whole)
        assert restoring.summary(missing) == restoring.apply(db, missing)
        assert differences(db, found, lambda _: whole) == [], "a second look finds nothing"
        return restoring.summary(missing)

    return ledger.change_now(put)


def rows(ledger: Ledger) -> list[tuple[State, Billed, str]]:
    query = "SELECT state, billed, request_id FROM attempt ORDER BY id"
    found = ledger.change_now(lambda db: db.execute(query).fetchall())
    return [(State(state), Billed(billed), request) for state, billed, request in found]


def test_a_ledger_that_is_up_to_date_has_no_difference(ledger: Ledger) -> None:
    asyncio.run(ledger.intend(JOB, "run-1", 50, uuid="u"))
    assert not restore(ledger, known(State.INTENT, uuid="u"))
    assert rows(ledger) == [(State.INTENT, Billed.UNKNOWN, "")]


@pytest.mark.parametrize(
    ("found", "state", "counted"),
    [
        (known(State.STORED, Billed.YES, cost=40), State.STORED, Restoration(1, 0, 0, 40)),
        (known(State.ACCEPTED, request_id="r"), State.ACCEPTED, Restoration(0, 1, 0, 50)),
        (known(State.INTENT), State.UNKNOWN, Restoration(0, 1, 0, 50)),
        (known(State.FAILED, Billed.NO), State.FAILED, Restoration(0, 0, 1, 0)),
        (known(State.READY, Billed.YES), State.READY, Restoration(0, 0, 1, 50)),
    ],
)
def test_an_attempt_that_the_ledger_has_never_heard_of_is_put_in(
    ledger: Ledger, found: IndexedAttempts, state: State, counted: Restoration
) -> None:
    assert restore(ledger, found) == counted
    assert [row[0] for row in rows(ledger)] == [state]


def test_it_belongs_to_the_run_and_the_recipe_that_made_it(ledger: Ledger) -> None:
    restore(ledger, known(State.STORED, Billed.YES))
    runs = ledger.change_now(lambda db: db.execute("SELECT id, recipe FROM run").fetchall())
    assert runs == [("run-1", "demo")]


@pytest.mark.parametrize(
    ("found", "row"),
    [
        (known(State.ACCEPTED, request_id="r"), (State.ACCEPTED, Billed.UNKNOWN, "r")),
        (known(State.STORED, Billed.YES), (State.STORED, Billed.YES, "r")),
        (known(State.FAILED, Billed.NO, reason="no"), (State.FAILED, Billed.NO, "")),
        (known(State.UNKNOWN, reason="no answer"), (State.UNKNOWN, Billed.UNKNOWN, "")),
    ],
)
def test_an_attempt_that_came_further_than_the_ledger_knows_is_moved_on(
    ledger: Ledger, found: IndexedAttempts, row: tuple[State, Billed, str]
) -> None:
    asyncio.run(ledger.intend(JOB, "run-1", 50, uuid="u"))
    restore(ledger, replace(found, attempt=replace(found.attempt, uuid="u")))
    assert rows(ledger) == [row]


def test_an_image_ends_a_doubt(ledger: Ledger) -> None:
    attempt = asyncio.run(ledger.intend(JOB, "run-1", 50, uuid="u"))
    doubt = Failure(FailureKind.UNKNOWN, "no answer", Billed.UNKNOWN)
    ledger.close_attempt_now(attempt, State.UNKNOWN, doubt)
    restore(ledger, known(State.STORED, Billed.YES, uuid="u"))
    assert rows(ledger) == [(State.STORED, Billed.YES, "r")]


def test_an_image_that_is_not_whole_proves_nothing(ledger: Ledger) -> None:
    asyncio.run(ledger.intend(JOB, "run-1", 50, uuid="u"))
    assert not restore(ledger, known(State.STORED, Billed.YES, uuid="u"), whole=False)
    assert rows(ledger) == [(State.INTENT, Billed.UNKNOWN, "")]


def test_what_its_owner_closed_is_not_brought_back(ledger: Ledger) -> None:
    attempt = asyncio.run(ledger.intend(JOB, "run-1", 50, uuid="u"))
    given_up = Failure(FailureKind.UNKNOWN, "given up", Billed.UNKNOWN)
    ledger.close_attempt_now(attempt, State.READY, given_up)
    restore(ledger, known(State.ACCEPTED, request_id="r", uuid="u"))
    assert [row[0] for row in rows(ledger)] == [State.READY]


def test_a_second_live_attempt_of_a_job_is_recorded_and_closed(ledger: Ledger) -> None:
    asyncio.run(ledger.intend(JOB, "run-2", 50, uuid="mine"))
    restore(ledger, known(State.ACCEPTED, request_id="r", uuid="other"))
    assert rows(ledger) == [
        (State.INTENT, Billed.UNKNOWN, ""),
        (State.READY, Billed.UNKNOWN, "r"),
    ], "its bill goes on counting"


def test_attempts_without_a_name_are_told_by_their_request_and_else_by_their_order(
    ledger: Ledger,
) -> None:
    first = asyncio.run(ledger.intend(JOB, "run-1", 50))
    ledger.close_attempt_now(first, State.FAILED, Failure(FailureKind.UNSENT, "no"))
    second = asyncio.run(ledger.intend(JOB, "run-1", 50))
    asyncio.run(ledger.advance(second, Accepted("r2")))
    restore(
        ledger,
        known(State.FAILED, Billed.NO),
        known(State.STORED, Billed.YES, request_id="r2"),
    )
    assert [row[0] for row in rows(ledger)] == [State.FAILED, State.STORED]


def test_more_jobs_than_one_query_holds_are_compared(ledger: Ledger) -> None:
    many = [known(State.FAILED, Billed.NO) for _ in range(1100)]
    found = [
        replace(one, attempt=replace(one.attempt, job_key=f"{n:064x}"))
        for n, one in enumerate(many)
    ]
    assert restore(ledger, *found).ended == 1100
