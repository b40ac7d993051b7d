"""`resolve`: what waits for a decision, on the screen and as JSON, and a person's word on it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from relightflow.cli import main
from relightflow.errors import Exit
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from tests.conftest import Stage
from tests.scripted_backend import fails

Resolve = Callable[..., int]


@pytest.fixture
def resolve(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """The command on a state in which two calls may have been billed."""

    def lost(_: object, __: int) -> None:
        raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    stage.recipe([0, 1])
    stage.provider.on_submit = lost
    stage.run()
    monkeypatch.chdir(stage.folder)
    return lambda *options: main(["resolve", *options])


def test_without_an_option_it_only_lists(
    resolve: Resolve, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resolve() == Exit.UNKNOWN
    assert "2 calls are waiting for a decision, up to 0.10 USD" in capsys.readouterr().out
    assert stage.states() == [State.UNKNOWN] * 2


def test_a_person_may_give_one_up(
    resolve: Resolve, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    key = stage.attempts()[0].job_key
    assert resolve("--assume-lost", "--job", key[:16], "--json") == Exit.UNKNOWN
    document = json.loads(capsys.readouterr().out)
    assert [one["key"] for one in document["decided"]] == [key]
    assert sorted(stage.states()) == [State.FAILED, State.UNKNOWN]


def test_what_is_given_up_is_not_listed_as_held(
    resolve: Resolve, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resolve("--assume-lost", "--json") == Exit.OK
    document = json.loads(capsys.readouterr().out)
    assert (document["held"], document["held_usd"], len(document["decided"])) == ([], 0, 2)
    assert resolve() == Exit.OK
    assert "no call is waiting for a decision" in capsys.readouterr().out


def test_a_second_bill_needs_a_cap_before_anything_is_asked(
    resolve: Resolve, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resolve("--resubmit") == Exit.BUDGET
    assert "--max-cost USD" in capsys.readouterr().err
    assert stage.states() == [State.UNKNOWN] * 2


def test_a_named_call_is_decided_without_the_records_within_the_cap(
    resolve: Resolve, stage: Stage
) -> None:
    one, other = (attempt.job_key[:16] for attempt in stage.attempts())
    named = ("--job", one, "--job", other)
    assert resolve("--resubmit", "--max-cost", "0.05", *named) == Exit.BUDGET
    assert sorted(stage.states()) == [State.READY, State.UNKNOWN], "one is within the cap"


@pytest.mark.parametrize(
    "options", [("--resubmit", "--wait", "--max-cost", "1"), ("--assume-lost", "--wait")]
)
def test_two_decisions_are_none(
    resolve: Resolve, stage: Stage, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert resolve(*options) == Exit.INVALID
    assert "use only one of --resubmit, --assume-lost and --wait" in capsys.readouterr().err
    assert stage.states() == [State.UNKNOWN] * 2
