from __future__ import annotations

from typing import Any

from relightflow.model.attempt import State
from relightflow.model.evidence import Evidence
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Accepted, Completed, ResultKnown
from relightflow.plugins.backend import Call, RecordsQuery, Settlement
from tests.conftest import Stage
from tests.scripted_backend import PRICE, ScriptedBackend, fails, png


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


def test_a_call_that_a_bug_lost_is_adopted_at_the_end_of_the_same_run(stage: Stage) -> None:
    class Recorded(ScriptedBackend):
        async def look_up(self, query: RecordsQuery, _: object) -> Evidence:
            doubts = query.doubts
            known = ((a.id, ResultKnown(f"{a.job_key}-request", "https://x/y")) for a in doubts)
            return Evidence(tuple(known))

    def script(call: Call, _: int) -> None:
        stage.provider.charge(call.job.key)
        raise ZeroDivisionError("oops")

    stage.settle(Settlement("lookup"), Recorded)
    stage.provider.on_submit = script
    summary = stage.run(cap=PRICE)
    assert stage.states() == [State.DONE]
    assert (summary.money.spent, summary.money.unknown) == (PRICE, 0)


def test_what_left_in_intent_by_a_paid_model_is_a_doubt_for_a_free_one_too(stage: Stage) -> None:
    """Two models of one backend share a state; the second run's price says nothing of the first's."""
    stage.provider.on_submit = always(FailureKind.BUG, Billed.UNKNOWN)
    stage.run()
    stage.recipe(model="gift")
    stage.provider.on_submit = lambda _, __: None
    stage.run()
    stage.recipe()
    stage.run()
    assert len(stage.provider.submits) == 2  # the doubt was not sent again
