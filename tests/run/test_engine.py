from __future__ import annotations

from relightflow.model.failure import FailureKind
from relightflow.plugins.backend import Call
from tests.conftest import Stage
from tests.scripted_backend import fails

SIX = list(range(6))


def test_one_failing_job_leaves_the_others_alone(stage: Stage) -> None:
    def script(call: Call, _: int) -> None:
        if call.job.parameters["shade"] == 3:
            raise fails(FailureKind.JOB_FAILED)

    stage.recipe(SIX)
    stage.provider.on_submit = script
    summary = stage.run()
    assert (summary.counts.made, summary.counts.failed, summary.exit) == (5, 1, 1)
    assert len(stage.images()) == 5


def test_the_same_bytes_under_two_names_are_bought_once_and_delivered_twice(stage: Stage) -> None:
    stage.image("b.png", seed="a.png")
    stage.recipe([0, 1])
    summary = stage.run()
    assert len(stage.provider.bill) == 2
    assert stage.images() == ["a-0-0.png", "a-1-0.png", "b-0-0.png", "b-1-0.png"]
    assert summary.exit == 0
    assert stage.run().counts.delivered == 0
