from __future__ import annotations

from typing import Any

from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Accepted, Completed, ResultKnown
from tests.conftest import Stage
from tests.scripted_backend import fails, png


def always(kind: FailureKind, billed: Billed = Billed.NO, **facts: Any) -> Any:
    def script(_: object, __: int) -> None:
        raise fails(kind, billed, **facts)

    return script


def test_an_attempt_of_a_dearer_model_is_collected_at_its_own_price(stage: Stage) -> None:
    """The second run is for another model of the same backend: what it finds in the air was
    reserved at another price."""
    stage.recipe(model="dear")
    stage.provider.mode = "v2"
    stage.provider.on_collect = always(FailureKind.ACCOUNT)
    stage.run()
    assert stage.states() == [State.ACCEPTED]
    stage.provider.on_collect = lambda step, _: (
        ResultKnown(step.request_id, "https://studio/x")
        if isinstance(step, Accepted)
        else Completed(png("x"))
    )
    stage.recipe(model="gift")
    summary = stage.run()
    assert summary.exit == 0
    first = stage.attempts()[0]
    assert (first.state, first.billed, first.cost) == (State.STORED, Billed.YES, None)
    stage.recipe(model="dear")
    assert stage.run().exit == 0
    assert [key for key in stage.provider.bill if key == first.job_key] == [first.job_key]


def test_collect_only_fetches_and_submits_nothing(stage: Stage) -> None:
    stage.recipe([0, 1], concurrency=1)
    stage.provider.mode = "v2"
    stage.provider.on_collect = always(FailureKind.ACCOUNT)
    stage.run()
    accepted = len(stage.provider.bill)
    stage.image("b.png")
    stage.provider.on_collect = lambda _, __: None
    summary = stage.run(collect_only=True)
    assert len(stage.provider.bill) == accepted
    assert summary.counts.made == accepted
    assert summary.counts.not_started == 4 - accepted
