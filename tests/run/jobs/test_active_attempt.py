from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from relightflow.errors import Exit
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Completed
from relightflow.plugins.backend import Call
from tests.conftest import Stage
from tests.scripted_backend import PRICE, fails, png

SIX = list(range(6))


def always(kind: FailureKind, billed: Billed = Billed.NO, **facts: Any) -> Any:
    def script(_: Call, __: int) -> None:
        raise fails(kind, billed, **facts)

    return script


def test_fail_fast_stops_at_the_first_failure(stage: Stage) -> None:
    stage.recipe(SIX, fail_fast=True, concurrency=1)
    stage.provider.on_submit = always(FailureKind.JOB_FAILED)
    summary = stage.run()
    assert len(stage.provider.submits) == 1
    assert summary.counts.not_started == 5
    assert summary.exit == Exit.JOBS_FAILED


@pytest.mark.parametrize(("model", "state"), [("glow", State.UNKNOWN), ("gift", State.READY)])
def test_a_bug_in_one_job_costs_only_that_job(stage: Stage, model: str, state: State) -> None:
    def script(call: Call, _: int) -> None:
        if call.job.parameters["shade"] == 2:
            raise ZeroDivisionError("oops")

    stage.recipe(SIX, model=model)
    stage.provider.on_submit = script
    summary = stage.run()
    assert summary.counts.made == 5
    assert Counter(stage.states()) == {State.DONE: 5, state: 1}
    assert any("ZeroDivisionError" in issue.message for issue in summary.issues)


def test_a_call_that_was_far_too_dear_stops_the_run(stage: Stage) -> None:
    stage.recipe(SIX, concurrency=1)
    painted = Completed(b"", 2 * PRICE, "r")

    def script(call: Call, _: int) -> Completed:
        return Completed(png(call.job.key), painted.cost, f"r-{call.job.key}")

    stage.provider.on_submit = script
    summary = stage.run()
    assert (len(stage.provider.submits), summary.exit) == (1, Exit.BUDGET)
    assert summary.money.spent == 2 * PRICE


@pytest.mark.parametrize("cost", [None, -1, float("nan"), float("inf"), 10**30])
def test_a_cost_that_cannot_be_believed_counts_as_the_highest_price(
    stage: Stage, cost: Any
) -> None:
    stage.provider.on_submit = lambda call, _: Completed(png(call.job.key), cost, "r")
    summary = stage.run()
    assert summary.counts.made == 1
    (attempt,) = stage.attempts()
    assert (attempt.state, attempt.cost) == (State.DONE, None)
    assert stage.images() == ["a-0-0.png"]
