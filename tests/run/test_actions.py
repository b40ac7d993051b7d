"""What is to be done about each job, as the ledger and the blob store have it after real runs."""

from __future__ import annotations

import pytest

from relightflow.ledger.reader import open_reader
from relightflow.model.failure import Billed, FailureKind
from relightflow.plugins.backend import Call
from relightflow.run.actions import Action, item_chunks
from relightflow.store.blobs import path_of
from tests.conftest import Stage
from tests.scripted_backend import PRICE, fails


def actions(stage: Stage) -> list[Action]:
    with open_reader(stage.state_dir.ledger) as reader:
        chunks = item_chunks(stage.plan(), reader, stage.state_dir.blobs)
        return [item.action for chunk in chunks for item in chunk]


@pytest.mark.parametrize(
    ("kind", "billed", "action"),
    [
        (FailureKind.JOB_FAILED, Billed.NO, Action.MAKE),
        (FailureKind.BAD_RESULT, Billed.YES, Action.HOLD_FAILED),
        (FailureKind.UNKNOWN, Billed.UNKNOWN, Action.HOLD_UNKNOWN),
    ],
)
def test_what_was_or_may_have_been_billed_is_held(
    stage: Stage, kind: FailureKind, billed: Billed, action: Action
) -> None:
    def script(_: Call, __: int) -> None:
        raise fails(kind, billed)

    stage.provider.on_submit = script
    stage.run(cap=10 * PRICE)
    assert actions(stage) == [action]


def test_what_is_accepted_is_collected(stage: Stage) -> None:
    def script(_: object, __: int) -> None:
        raise fails(FailureKind.ACCOUNT)

    stage.provider.mode = "v2"
    stage.provider.on_collect = script
    stage.run()
    assert actions(stage) == [Action.COLLECT]


def test_what_is_stored_whole_is_reused_and_what_is_lost_or_cut_is_mended(stage: Stage) -> None:
    stage.recipe([0, 1, 2])
    stage.run()
    assert actions(stage) == [Action.REUSE] * 3
    first, second, _ = (path_of(stage.state_dir.blobs, a.blob) for a in stage.attempts())
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])
    assert sorted(a.name for a in actions(stage)) == ["MEND", "MEND", "REUSE"]


def test_a_plan_is_gone_through_in_its_order_each_job_once(stage: Stage) -> None:
    stage.recipe(list(range(600)))
    stage.image("b.png", seed="a.png")
    plan = stage.plan()
    with open_reader(stage.state_dir.ledger) as reader:
        chunks = list(item_chunks(plan, reader, stage.state_dir.blobs))
    assert [len(chunk) for chunk in chunks] == [512, 88]
    items = [item for chunk in chunks for item in chunk]
    assert {item.action for item in items} == {Action.MAKE}
    assert [item.output.job.parameters["shade"] for item in items] == list(range(600))
