"""What nothing settles by itself: listed, and a person's word taken."""

from __future__ import annotations

import pytest

from relightflow.errors import Exit, UsageError
from relightflow.maintenance.resolve import decide, held_attempts
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.maintenance import Decision, Resolution
from relightflow.model.step import Completed, PaidUnfetched
from relightflow.run.opening import open_state
from tests.conftest import Stage
from tests.scripted_backend import PRICE, fails


def resolve(stage: Stage, decision: Decision, *jobs: str) -> Resolution:
    with open_state(stage.state_dir, "the test") as state:
        return decide(stage.state_dir, state.ledger, decision, PRICE, jobs)


@pytest.fixture
def cut(stage: Stage) -> Stage:
    """A run whose only answer was cut short after it was paid."""

    def script(_: object, __: int) -> None:
        raise fails(FailureKind.UNKNOWN, Billed.YES)

    stage.provider.on_submit = lambda call, _: PaidUnfetched(
        stage.provider.charge(call.job.key), PRICE // 2
    )
    stage.provider.on_collect = script
    assert stage.run().exit == Exit.UNKNOWN
    assert stage.states() == [State.PAID_UNFETCHED]
    stage.provider.on_submit = stage.provider.on_collect = lambda _, __: None
    return stage


def test_an_answer_that_was_cut_short_waits_for_a_decision(cut: Stage) -> None:
    assert [attempt.state for attempt in held_attempts(cut.state_dir)] == [State.PAID_UNFETCHED]
    assert Resolution(held_attempts(cut.state_dir)).exit == Exit.UNKNOWN


def test_an_answer_that_was_cut_short_is_bought_again_on_its_owner_s_word(cut: Stage) -> None:
    assert resolve(cut, Decision.RESUBMIT).held == ()
    summary = cut.run(cap=2 * PRICE)
    assert (summary.exit, len(cut.provider.bill)) == (0, 2)
    assert [attempt.billed for attempt in cut.attempts()] == [Billed.YES, Billed.YES]


def test_what_is_given_up_keeps_the_cost_that_is_known(cut: Stage) -> None:
    resolve(cut, Decision.ASSUME_LOST)
    [attempt] = cut.attempts()
    assert (attempt.state, attempt.cost) == (State.FAILED, PRICE // 2)
    cut.run()
    assert len(cut.provider.bill) == 1


def test_what_is_given_up_waits_no_longer_and_is_bought_again_only_by_name(cut: Stage) -> None:
    [waiting] = held_attempts(cut.state_dir)
    assert resolve(cut, Decision.ASSUME_LOST).held == ()
    assert resolve(cut, Decision.RESUBMIT).decided == ()
    assert resolve(cut, Decision.RESUBMIT, waiting.job_key).decided
    assert cut.run(cap=2 * PRICE).exit == 0


def test_what_was_paid_without_an_image_can_be_given_up_too(stage: Stage) -> None:
    stage.provider.on_submit = lambda call, _: Completed(
        b"nothing", PRICE, stage.provider.charge(call.job.key)
    )
    stage.run()
    assert [attempt.state for attempt in held_attempts(stage.state_dir)] == [State.FAILED]
    found = resolve(stage, Decision.ASSUME_LOST)
    assert (found.held, len(found.decided)) == ((), 1)
    assert [attempt.cost for attempt in stage.attempts()] == [PRICE]


@pytest.mark.parametrize("job", ["", "nosuch"])
def test_a_job_that_does_not_wait_is_named_and_nothing_is_decided(cut: Stage, job: str) -> None:
    [waiting] = held_attempts(cut.state_dir)
    with pytest.raises(UsageError, match=f"job '{job}'"):
        resolve(cut, Decision.RESUBMIT, waiting.job_key[:8], job)
    assert cut.states() == [State.PAID_UNFETCHED]
