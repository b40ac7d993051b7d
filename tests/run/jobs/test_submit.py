"""From READY to the first step, played with a scripted backend on a clock that jumps."""

from __future__ import annotations

from typing import Any

import pytest

from relightflow.errors import Exit
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.plugins.backend import Call
from tests.conftest import Stage
from tests.scripted_backend import PRICE, fails

SIX = list(range(6))


def always(kind: FailureKind, billed: Billed = Billed.NO, **facts: Any) -> Any:
    def script(_: Call, __: int) -> None:
        raise fails(kind, billed, **facts)

    return script


@pytest.mark.parametrize(
    ("kind", "billed", "calls", "state", "exit_code"),
    [
        (FailureKind.UNSENT, Billed.NO, 6, State.READY, Exit.EARLY),
        (FailureKind.UNAVAILABLE, Billed.NO, 3, State.FAILED, Exit.JOBS_FAILED),
        (FailureKind.REFUSED_CELL, Billed.NO, 1, State.FAILED, Exit.JOBS_FAILED),
        (FailureKind.REFUSED_MODEL, Billed.NO, 1, State.FAILED, Exit.JOBS_FAILED),
        (FailureKind.ACCOUNT, Billed.NO, 1, State.READY, Exit.ACCOUNT),
        (FailureKind.JOB_FAILED, Billed.NO, 1, State.FAILED, Exit.JOBS_FAILED),
        (FailureKind.BAD_RESULT, Billed.YES, 1, State.FAILED, Exit.JOBS_FAILED),
        (FailureKind.UNKNOWN, Billed.UNKNOWN, 1, State.UNKNOWN, Exit.UNKNOWN),
        (FailureKind.REFUSED_SAFETY, Billed.NO, 1, State.READY, Exit.REFUSED),
        (FailureKind.TOO_LARGE, Billed.UNKNOWN, 1, State.UNKNOWN, Exit.UNKNOWN),
        (FailureKind.TOO_LARGE, Billed.YES, 1, State.FAILED, Exit.DAMAGED),
    ],
)
def test_how_each_kind_of_failure_ends(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    kind: FailureKind,
    billed: Billed,
    calls: int,
    state: State,
    exit_code: Exit,
) -> None:
    stage.provider.on_submit = always(kind, billed)
    summary = stage.run_in_no_time(monkeypatch)
    assert len(stage.provider.submits) == calls
    assert stage.states()[-1] is state
    assert stage.states()[:-1] == [State.READY] * (calls - 1)
    assert summary.exit == exit_code
    spent = PRICE if billed is Billed.YES else 0
    held = PRICE if billed is Billed.UNKNOWN else 0
    assert (summary.money.spent, summary.money.in_flight, summary.money.unknown) == (spent, 0, held)


@pytest.mark.parametrize(
    ("kind", "billed"),
    [
        (FailureKind.UNKNOWN, Billed.UNKNOWN),
        (FailureKind.BAD_RESULT, Billed.YES),
        (FailureKind.TOO_LARGE, Billed.UNKNOWN),
        (FailureKind.BUG, Billed.UNKNOWN),
    ],
)
def test_what_may_have_been_billed_is_not_sent_again_by_the_next_run(
    stage: Stage, kind: FailureKind, billed: Billed
) -> None:
    stage.provider.on_submit = always(kind, billed)
    first = stage.run()
    stage.provider.on_submit = lambda _, __: None
    second = stage.run()
    assert len(stage.provider.submits) == 1
    assert first.exit == second.exit != 0  # said again


@pytest.mark.parametrize(
    "kind",
    [FailureKind.UNSENT, FailureKind.UNAVAILABLE, FailureKind.JOB_FAILED, FailureKind.ACCOUNT],
)
def test_what_was_not_billed_is_tried_again_by_the_next_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: FailureKind
) -> None:
    stage.provider.on_submit = always(kind)
    stage.run_in_no_time(monkeypatch)
    stage.provider.on_submit = lambda _, __: None
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 1


@pytest.mark.parametrize("model", ["glow", "gift"])
def test_rate_limits_cost_no_retry_however_many_there_are(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    def script(_: Call, number: int) -> None:
        if number < 12:
            raise fails(FailureKind.RATE_LIMITED, retry_after=2.0)

    stage.recipe(model=model)
    stage.provider.on_submit = script
    summary = stage.run_in_no_time(monkeypatch)
    assert (summary.exit, len(stage.provider.submits)) == (0, 13)
    assert summary.seconds >= 20  # also where no gate does the waiting


def test_a_refused_cell_is_not_sent_for_its_repeats(stage: Stage) -> None:
    def script(call: Call, _: int) -> None:
        if call.job.parameters["shade"] == 1:
            raise fails(FailureKind.REFUSED_CELL)

    stage.recipe([0, 1], repeat=50, concurrency=1)
    stage.provider.on_submit = script
    summary = stage.run()
    assert (summary.counts.made, summary.counts.failed) == (50, 50)
    assert len(stage.provider.submits) == 51


def test_an_account_that_needs_a_person_stops_submits_and_collects_what_was_accepted(
    stage: Stage,
) -> None:
    def script(call: Call, _: int) -> None:
        if call.job.parameters["shade"] == 3:
            raise fails(FailureKind.ACCOUNT)

    stage.recipe(SIX, concurrency=1)
    stage.provider.mode = "v2"
    stage.provider.on_submit = script
    summary = stage.run()
    assert len(stage.provider.submits) == 4
    assert (summary.counts.made, summary.exit) == (3, Exit.ACCOUNT)
    assert len(stage.images()) == 3


def test_a_bug_of_the_job_that_tries_a_closed_provider_lets_the_others_go_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breaker is open and waits for one job alone; that one ends in a bug."""

    def script(_: Call, number: int) -> None:
        if number < 8:
            raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)
        if number == 8:
            raise ZeroDivisionError("oops")

    stage.recipe(list(range(14)), concurrency=8)
    stage.provider.on_submit = script
    summary = stage.run_in_no_time(monkeypatch)
    assert summary.counts.made == 5


@pytest.mark.parametrize("mode", ["instant", "v1", "v2"])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_cap_is_never_passed(stage: Stage, mode: str, concurrency: int) -> None:
    stage.recipe(SIX, concurrency=concurrency)
    stage.provider.mode = mode
    summary = stage.run(cap=3 * PRICE + 1)
    assert len(stage.provider.bill) == 3
    assert (summary.money.spent, summary.exit) == (3 * PRICE, Exit.BUDGET)


def test_doubts_count_against_the_cap(stage: Stage) -> None:
    def script(_: Call, number: int) -> None:
        if number < 2:
            raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    stage.recipe(SIX, concurrency=1)
    stage.provider.on_submit = script
    summary = stage.run(cap=5 * PRICE)  # each of several doubts may have cost 1.5 × the price
    assert len(stage.provider.submits) == 4
    assert (summary.money.spent, summary.money.unknown) == (2 * PRICE, 2 * PRICE)
    assert summary.exit == Exit.UNKNOWN


def test_an_image_that_changed_since_it_was_planned_is_not_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.image("b.png")
    plan = stage.plan()
    monkeypatch.setattr(stage, "plan", lambda: plan)
    stage.image("b.png", seed="another")
    summary = stage.run()
    assert len(stage.provider.bill) == 1
    assert (summary.counts.made, summary.counts.failed, summary.exit) == (1, 1, 1)
