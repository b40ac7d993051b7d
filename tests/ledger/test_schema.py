"""The rules that the database keeps by itself, tried with bare SQL, as a mistake of ours would."""

from __future__ import annotations

import sqlite3
from itertools import product
from pathlib import Path

import pytest

from relightflow.ledger.ledger import Ledger
from relightflow.model.attempt import LEGAL, OPEN, State
from tests.ledger.conftest import job_of


async def test_every_legal_move_is_allowed_and_every_other_refused(ledger: Ledger) -> None:
    verdicts: dict[tuple[State, State], bool] = {}
    for number, (old, new) in enumerate(product(State, State)):
        attempt = await ledger.intend(job_of(str(number)), "run", 50_000)

        def force(db: sqlite3.Connection, attempt: int = attempt, old: State = old) -> None:
            """Put the attempt into `old`, past the rule, as if it had got there."""
            rule = db.execute(
                "SELECT sql FROM sqlite_master WHERE name = 'attempt_moves_legally'"
            ).fetchone()[0]
            db.execute("DROP TRIGGER attempt_moves_legally")
            db.execute("UPDATE attempt SET state = ? WHERE id = ?", (old, attempt))
            db.execute(rule)

        await ledger.change(force)
        move = "UPDATE attempt SET state = ? WHERE id = ?"
        try:
            await ledger.change(lambda db, m=move, n=new, a=attempt: db.execute(m, (n, a)))  # type: ignore[misc]  # default arguments
            verdicts[old, new] = True
        except sqlite3.IntegrityError:
            verdicts[old, new] = False
    wrong = {pair: said for pair, said in verdicts.items() if said != (pair[1] in LEGAL[pair[0]])}
    assert wrong == {}


ALIVE = [(state, "unknown") for state in sorted(OPEN)] + [
    (State.STORED, "yes"),
    (State.DONE, "yes"),
    (State.FAILED, "yes"),
    (State.FAILED, "unknown"),
]
FREE_AGAIN = [(State.READY, "no"), (State.READY, "unknown"), (State.FAILED, "no")]
INSERT = (
    "INSERT INTO attempt (job_key, run_id, state, billed, backend, model, image_sha256, parameters,"
    " repeat, price, created, updated) VALUES ('k', 'r', ?, ?, 'b', 'm', 'i', '{}', 0, 1, 0, 0)"
)


@pytest.mark.parametrize(("state", "billed"), ALIVE)
async def test_a_job_with_a_live_attempt_gets_no_second(
    ledger: Ledger, state: State, billed: str
) -> None:
    await ledger.change(lambda db: db.execute(INSERT, (state, billed)))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        await ledger.change(lambda db: db.execute(INSERT, ("INTENT", "unknown")))


@pytest.mark.parametrize(("state", "billed"), FREE_AGAIN)
async def test_a_job_whose_attempts_are_closed_may_be_tried_again(
    ledger: Ledger, state: State, billed: str
) -> None:
    await ledger.change(lambda db: db.execute(INSERT, (state, billed)))
    await ledger.change(lambda db: db.execute(INSERT, ("INTENT", "unknown")))


async def test_an_attempt_cannot_slip_back_to_life_beside_another(ledger: Ledger) -> None:
    await ledger.change(lambda db: db.execute(INSERT, ("FAILED", "no")))
    await ledger.change(lambda db: db.execute(INSERT, ("INTENT", "unknown")))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        await ledger.change(lambda db: db.execute("UPDATE attempt SET billed = 'yes' WHERE id = 1"))


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM attempt",
        "DELETE FROM history",
        "UPDATE history SET reason = 'another'",
        "UPDATE attempt SET state = 'GONE'",
        "UPDATE attempt SET billed = 'perhaps'",
        "UPDATE attempt SET cost = -1",
        "UPDATE attempt SET price = 'free'",
    ],
)
async def test_what_the_schema_forbids(ledger: Ledger, sql: str) -> None:
    await ledger.intend(job_of(), "run", 50_000)
    with pytest.raises(sqlite3.IntegrityError):
        await ledger.change(lambda db: db.execute(sql))


async def test_every_state_an_attempt_was_in_is_in_its_history(ledger: Ledger) -> None:
    attempt = await ledger.intend(job_of(), "run", 50_000)
    for state in ("ACCEPTED", "RESULT_KNOWN", "STORED", "DONE"):
        await ledger.change(
            lambda db, s=state: db.execute(  # type: ignore[misc]  # a default argument
                "UPDATE attempt SET state = ? WHERE id = ?", (s, attempt)
            )
        )
    seen = await ledger.change(
        lambda db: db.execute("SELECT state FROM history ORDER BY id").fetchall()
    )
    assert [state for (state,) in seen] == [
        "INTENT", "ACCEPTED", "RESULT_KNOWN", "STORED", "DONE",
    ]  # fmt: skip


def test_the_history_outlives_the_process(path: Path) -> None:
    ledger = Ledger(path)
    ledger.change_now(lambda db: db.execute(INSERT, ("INTENT", "unknown")))
    ledger.close()
    db = sqlite3.connect(path)
    assert db.execute("SELECT state FROM history").fetchall() == [("INTENT",)]
    db.close()
