"""Delivers what a state has and buys nothing, whatever is missing."""

from __future__ import annotations

import json

import pytest

from relightflow.cli.console import Console
from relightflow.cli.delivering import deliver_stored
from relightflow.errors import Exit
from relightflow.plugins.records import OperatorPolicy
from relightflow.run.opening import open_state
from tests.conftest import Stage


def deliver(
    stage: Stage, console: Console, missing: Exit = Exit.EARLY, next_run: tuple[str, ...] = ()
) -> Exit:
    return deliver_stored(
        stage.plan(), stage.registry, stage.state_dir, OperatorPolicy(), console, missing,
        next_run=next_run,
    )  # fmt: skip


def test_what_was_bought_is_delivered_again_without_a_call(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.recipe([0, 1])
    stage.run()
    for path in stage.out.glob("*.png"):
        path.unlink()
    assert deliver(stage, Console()) is Exit.OK
    assert stage.images() == ["a-0-0.png", "a-1-0.png"]
    assert len(stage.provider.submits) == 2
    assert str(stage.out.name) in capsys.readouterr().out


@pytest.mark.parametrize("missing", [Exit.EARLY, Exit.JOBS_FAILED])
def test_what_is_missing_ends_with_the_code_of_the_command(
    stage: Stage, missing: Exit, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.recipe([0])
    stage.run()
    stage.recipe([0, 1])
    assert deliver(stage, Console(json=True), missing) is missing
    document = json.loads(capsys.readouterr().out)
    assert (document["counts"]["not_started"], document["counts"]["made"]) == (1, 0)
    assert len(stage.provider.submits) == 1


@pytest.mark.parametrize(
    ("next_run", "shown"),
    [
        ((), ""),  # the command knows better what comes next
        (("relightflow", "run", "a b/recipe.yaml", "-q"), "relightflow run 'a b/recipe.yaml' -q"),
    ],
)
def test_the_run_that_comes_next_is_that_of_the_command(
    stage: Stage, next_run: tuple[str, ...], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It named the recipe without its folder, and none of the options."""
    stage.recipe([0])
    stage.run()
    stage.recipe([0, 1])
    assert deliver(stage, Console(json=True), next_run=next_run) is Exit.EARLY
    assert json.loads(capsys.readouterr().out)["next_command"] == shown


def test_a_state_that_a_run_holds_is_told(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.run()
    with open_state(stage.state_dir, "another run"):
        assert deliver(stage, Console()) is Exit.EARLY
    assert "another run" in capsys.readouterr().err
