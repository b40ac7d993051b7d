"""A state that CI throws away is warned of, where money depends on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relightflow.plugins.records import OperatorPolicy
from relightflow.run.unkept import unkept
from tests.conftest import Stage

CI = {"CI": "true"}
STORE = "file:///srv/store"


def test_a_state_that_nobody_named_is_warned_of(stage: Stage) -> None:
    said = unkept(stage.plan(), stage.state_dir, OperatorPolicy(), CI)
    assert "buys everything again" in said
    assert "--state" in said


@pytest.mark.parametrize("value", ["", "false", "0", "No"])
def test_elsewhere_nothing_is_said(stage: Stage, value: str) -> None:
    assert not unkept(stage.plan(), stage.state_dir, OperatorPolicy(), {"CI": value})
    assert not unkept(stage.plan(), stage.state_dir, OperatorPolicy(), {})


def test_a_named_state_and_a_shared_store_are_kept(stage: Stage) -> None:
    plan, policy = stage.plan(), OperatorPolicy()
    assert not unkept(plan, replace(stage.state_dir, named=True), policy, CI)
    assert not unkept(plan, stage.state_dir, OperatorPolicy(store=STORE), CI)


def test_a_store_that_is_only_read_keeps_nothing(stage: Stage) -> None:
    policy = OperatorPolicy(store=STORE, store_writes=False)
    assert unkept(stage.plan(), stage.state_dir, policy, CI)


def test_what_is_free_or_rehearsed_can_be_made_again(stage: Stage) -> None:
    plan = stage.plan()
    rehearsed = replace(plan, recipe=replace(plan.recipe, rehearsed=True))
    assert not unkept(rehearsed, stage.state_dir, OperatorPolicy(), CI)
    stage.recipe(model="gift")
    assert not unkept(stage.plan(), stage.state_dir, OperatorPolicy(), CI)


def test_a_run_says_it_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    summary = stage.run()
    assert sum("CI is set" in notice for notice in summary.notices) == 1
