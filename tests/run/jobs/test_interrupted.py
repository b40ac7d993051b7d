from __future__ import annotations

from typing import Any

from relightflow.model.attempt import State
from relightflow.model.evidence import Evidence
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import ResultKnown
from relightflow.plugins.backend import Call, RecordsQuery, Settlement
from tests.conftest import Stage
from tests.scripted_backend import PRICE, ScriptedBackend, fails


def always(kind: FailureKind, billed: Billed = Billed.NO, **facts: Any) -> Any:
    def script(_: Call, __: int) -> None:
        raise fails(kind, billed, **facts)

    return script


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
