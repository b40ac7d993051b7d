from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relightflow.ledger.transaction import make_all


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE t (n INTEGER UNIQUE)")
    yield db
    db.close()


def put(*numbers: int) -> Callable[[sqlite3.Connection], int]:
    def change(db: sqlite3.Connection) -> int:
        for number in numbers:
            db.execute("INSERT INTO t VALUES (?)", (number,))
        return sum(numbers)

    return change


def held(db: sqlite3.Connection) -> list[int]:
    return [n for (n,) in db.execute("SELECT n FROM t ORDER BY n")]


def test_all_are_made_in_one_transaction_that_the_caller_commits(db: sqlite3.Connection) -> None:
    assert list(make_all(db, [put(1), put(2, 3)])) == [1, 5]
    assert db.in_transaction
    db.execute("ROLLBACK")
    assert held(db) == []


def test_without_a_fault_there_is_one_statement_a_change(db: sqlite3.Connection) -> None:
    said: list[str] = []
    db.set_trace_callback(said.append)
    make_all(db, [put(1), put(2)])
    assert len(said) == 3  # and the beginning


@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_that_breaks_a_rule_fails_alone_and_leaves_nothing(
    db: sqlite3.Connection, at: int
) -> None:
    changes: list[Any] = [put(1), put(2)]
    changes.insert(at, put(3, 4, 4))
    answers = list(make_all(db, changes))
    db.execute("COMMIT")
    assert isinstance(answers.pop(at), sqlite3.IntegrityError)
    assert answers == [1, 2]
    assert held(db) == [1, 2]


def test_a_bug_in_one_harms_no_other(db: sqlite3.Connection) -> None:
    def broken(db: sqlite3.Connection) -> None:
        put(7)(db)
        raise KeyError("bug")

    first, second = make_all(db, [broken, put(1)])
    assert isinstance(first, KeyError)
    assert (second, held(db)) == (1, [1])


def test_a_fault_of_the_disk_is_everybodys(db: sqlite3.Connection) -> None:
    def full(db: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(sqlite3.OperationalError, match="full"):
        make_all(db, [put(1), full])
    db.execute("ROLLBACK")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        make_all(db, [put(1, 1), full])
