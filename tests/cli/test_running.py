"""What `run` and `apply` share: their options, and how several plans end together."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from typing import Any

import click
import pytest

from relightflow.cli.commands import apply, run
from relightflow.cli.console import Console
from relightflow.cli.running import PlannedRun, RunFlags, run_all
from relightflow.errors import Exit
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.money import dollars
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.objects.bucket import Bucket
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.plugins.records import OperatorPolicy
from tests.conftest import DIRECTORY, Stage, make_store
from tests.scripted_backend import PRICE, fails

_NOTHING: dict[str, Any] = {f.name: False if f.type == "bool" else None for f in fields(RunFlags)}
FLAGS = RunFlags(**_NOTHING)
ELSEWHERE = [{**DIRECTORY, "path": "elsewhere/"}]
"""For a second plan: two may not write to one place."""


@pytest.mark.parametrize("command", [run.command, apply.command], ids=["run", "apply"])
def test_both_commands_have_every_option_of_a_run(command: click.Command) -> None:
    options = {parameter.name for parameter in command.params}
    assert {f.name for f in fields(RunFlags) if f.default is MISSING} <= options


@pytest.fixture
def run_plans(stage: Stage) -> Any:
    """`run_plans(plan, …, cap=…)`: they run one after the other; their exit code."""

    def ran(*plans: Any, cap: int | None = None, store: str = "", **changed: Any) -> Exit:
        ready = [PlannedRun(plan, stage.state_dir) for plan in plans]
        limits = () if cap is None else (SpendLimit(cap, "--max-cost"),)
        flags = replace(FLAGS, **changed)
        with click.Context(click.Command("run")):
            return run_all(
                ready, stage.registry, OperatorPolicy(store=store), RunOptions(limits=limits), flags,
                Console(json=True),
            )  # fmt: skip

    return ran


def test_a_paid_run_without_a_limit_is_refused_and_the_free_one_beside_it_is_not(
    stage: Stage, run_plans: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    paid = stage.plan()
    stage.recipe(model="gift", sinks=ELSEWHERE)
    free = stage.plan()
    assert run_plans(paid, free) is Exit.BUDGET
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["kind"], first["exit"]) == ("error", Exit.BUDGET)
    assert (second["kind"], second["counts"]["made"]) == ("summary", 1)
    assert len(stage.provider.submits) == 1, "the paid plan sent nothing"


def test_plans_of_one_command_share_its_limit(stage: Stage, run_plans: Any) -> None:
    first = stage.plan()
    stage.recipe([1, 2], sinks=ELSEWHERE)
    assert run_plans(first, stage.plan(), cap=2 * PRICE) is Exit.BUDGET
    assert len(stage.provider.bill) == 2


def test_the_gravest_of_several_codes_is_the_commands(stage: Stage, run_plans: Any) -> None:
    def lost(_: object, number: int) -> None:
        if number == 0:
            raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    stage.provider.on_submit = lost
    first = stage.plan()
    stage.recipe([1], sinks=ELSEWHERE)
    assert run_plans(first, stage.plan(), cap=9 * PRICE) is Exit.UNKNOWN
    assert len(stage.provider.submits) == 2, "the second plan runs all the same"


def test_a_junit_report_has_a_suite_a_plan(stage: Stage, run_plans: Any) -> None:
    path = stage.folder / "report.xml"
    assert run_plans(stage.plan(), cap=PRICE, junit=path) is Exit.OK
    assert path.read_text().count("<testsuite ") == 1


@pytest.fixture
def shared(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store in which another machine has put one of three jobs, and claimed another."""
    url = make_store(f"file://{stage.folder}/store")
    other = Stage(tmp_path_factory.mktemp("other"))
    other.image("a.png")
    other.operator = OperatorPolicy(store=url)

    def lost(*_: object) -> None:
        raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    other.recipe([1])
    assert other.run().exit is Exit.OK
    other.provider.on_submit = lost
    other.recipe([1, 2])
    assert other.run().exit is Exit.UNKNOWN
    return url


def test_the_price_that_is_asked_about_is_what_the_shared_store_leaves_to_be_bought(
    stage: Stage, run_plans: Any, shared: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.recipe([1, 2, 3])
    assert run_plans(stage.plan(), store=shared) is Exit.BUDGET
    said = capsys.readouterr().err
    assert f"this would buy 1 job for {dollars(PRICE)} USD" in said
    assert f"--max-cost {dollars(3 * PRICE)}" in said, "what the others paid counts"
    stage.recipe([1])
    assert run_plans(stage.plan(), store=shared) is Exit.OK
    assert stage.provider.submits == []


def test_a_cap_that_suffices_for_what_is_left_gets_no_warning(
    stage: Stage, run_plans: Any, shared: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.recipe([1, 3])
    assert run_plans(stage.plan(), store=shared, cap=3 * PRICE) is Exit.OK
    assert "warning" not in capsys.readouterr().err


def test_where_the_store_cannot_be_asked_nobody_is_asked_for_a_price(
    stage: Stage, run_plans: Any, shared: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def down(*_: object, **__: object) -> None:
        raise ObjectFault(Reason.PASSING, "the store", "out of reach")

    monkeypatch.setattr(Bucket, "get", down)
    assert run_plans(stage.plan(), store=shared) is Exit.EARLY
    said = capsys.readouterr().err
    assert "the shared store could not be read, so nothing will be bought" in said
    assert stage.provider.submits == []
