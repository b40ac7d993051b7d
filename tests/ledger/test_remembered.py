from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing

import pytest

from relightflow.ledger import remembered, rows
from relightflow.ledger.reader import open_reader
from relightflow.ledger.remembered import RememberedStates
from relightflow.model.attempt import State
from relightflow.model.plan import Plan
from relightflow.plan.outputs import outputs
from tests.conftest import Stage


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many jobs each reading of the ledger asked for."""
    counts: list[int] = []
    real = rows.job_states

    def counting(db: sqlite3.Connection, keys: Sequence[str]) -> dict[str, rows.JobState]:
        counts.append(len(keys))
        return real(db, keys)

    monkeypatch.setattr(rows, "job_states", counting)
    return counts


def _keys(plan: Plan) -> list[str]:
    return [output.job.key for output in outputs(plan)]


def test_what_nobody_has_changed_is_read_once(stage: Stage, asked: list[int]) -> None:
    stage.recipe(shades=[0, 1, 2])
    stage.run()
    keys = _keys(stage.plan())
    asked.clear()
    with open_reader(stage.state_dir.ledger) as reader:
        first = reader.job_states(keys, keep=True)
        assert reader.job_states(keys) == first
        assert reader.job_states([keys[1], "unknown"]) == {keys[1]: first[keys[1]]}
    assert [state.state for state in first.values()] == [State.DONE] * 3
    assert asked == [3, 1]


@pytest.mark.parametrize("own", [True, False])
def test_what_is_committed_is_seen_at_once(stage: Stage, own: bool) -> None:
    stage.run()
    (key,) = _keys(stage.plan())
    change = "UPDATE attempt SET request_id = 'another'"
    with ExitStack() as stack:
        reading, writing = (
            stack.enter_context(closing(sqlite3.connect(stage.state_dir.ledger))) for _ in range(2)
        )
        states = RememberedStates(reading)
        assert states.of([key], keep=True)[key].request_id != "another"
        writer = reading if own else writing
        writer.execute(change)
        writer.commit()
        assert states.of([key], keep=True)[key].request_id == "another"


def test_no_more_is_remembered_than_fits(
    stage: Stage, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "MOST", 2)
    stage.recipe(shades=[0, 1, 2])
    stage.run()
    keys = _keys(stage.plan())
    asked.clear()
    with open_reader(stage.state_dir.ledger) as reader:
        for _ in range(2):
            for key in keys:
                assert reader.job_states([key], keep=True)
    assert asked == [1, 1, 1, 1]


def test_a_run_with_nothing_to_do_reads_each_job_once(stage: Stage, asked: list[int]) -> None:
    stage.recipe(shades=[0, 1, 2])
    stage.run()
    asked.clear()
    assert stage.run().counts.reused == 3
    assert sum(asked) == 3


def test_nothing_is_remembered_unasked(stage: Stage, asked: list[int]) -> None:
    stage.run()
    keys = _keys(stage.plan())
    asked.clear()
    with open_reader(stage.state_dir.ledger) as reader:
        assert reader.job_states(keys) == reader.job_states(keys)
    assert asked == [1, 1]
