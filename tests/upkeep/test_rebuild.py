"""A ledger that is lost and made anew: nothing is bought again, nothing is forgotten."""

from __future__ import annotations

from relightflow.ledger.reader import reading
from relightflow.model.attempt import State
from relightflow.model.failure import Billed
from relightflow.model.step import Completed, Step
from relightflow.model.upkeep import Decision
from relightflow.plugins.backend import Call
from relightflow.run.setup import opened
from relightflow.upkeep.rebuild import follow, rebuild
from relightflow.upkeep.resolve import decide
from tests.conftest import Stage
from tests.studio import PRICE


def lose_the_ledger(stage: Stage) -> None:
    for path in stage.home.root.glob("ledger.sqlite3*"):
        path.unlink()


def test_a_picture_that_was_bought_again_on_its_owner_s_word_comes_back_with_both_bills(
    stage: Stage,
) -> None:
    def script(call: Call, number: int) -> Step | None:
        if number:
            return None
        return Completed(b"no picture", PRICE, stage.provider.charge(call.job.key))

    stage.provider.on_submit = script
    stage.run()
    with opened(stage.home, "the test") as state:
        decide(stage.home, state.ledger, Decision.RESUBMIT, PRICE)
    stage.run()
    with reading(stage.home.ledger) as reader:
        before = reader.money()
    lose_the_ledger(stage)
    assert rebuild(stage.home).stored == 1
    with reading(stage.home.ledger) as reader:
        assert reader.money() == before
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 2


def test_a_doubt_that_ended_with_a_picture_is_a_doubt_no_longer() -> None:
    start = {"key": "k", "event": State.INTENT}
    doubt = {"key": "k", "event": State.UNKNOWN, "billed": Billed.UNKNOWN}
    [attempt] = follow([start, doubt, {"key": "k", "sha256": "s", "width": 2}])
    assert (attempt["state"], attempt.get("billed")) == (State.STORED, None)
