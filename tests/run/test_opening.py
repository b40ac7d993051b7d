from __future__ import annotations

import pytest

from relightflow.errors import EarlyStop, StorageError
from relightflow.ledger.lock import acquire
from tests.conftest import Stage


def test_two_runs_on_one_state_the_second_names_the_holder_and_stops(stage: Stage) -> None:
    stage.state_dir.create()
    with (
        acquire(stage.state_dir.lock, "relightflow run, process 4711,"),
        pytest.raises(EarlyStop, match="process 4711"),
    ):
        stage.run()
    assert stage.provider.submits == []


def test_a_damaged_ledger_is_refused_before_anything_is_sent(stage: Stage) -> None:
    stage.run()
    data = stage.state_dir.ledger.read_bytes()
    stage.state_dir.ledger.write_bytes(data[: len(data) // 2])
    stage.image("b.png")
    with pytest.raises(StorageError, match=r"nothing was sent.*rebuild"):
        stage.run()
    assert len(stage.provider.submits) == 1


def test_a_process_killed_before_its_intent_sends_once_later(stage: Stage) -> None:
    stage.state_dir.create()  # all that such a process leaves behind
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 1
