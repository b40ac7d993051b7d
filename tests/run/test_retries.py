"""`--retry-failed-checks`: a new repeat in the place of a failed result, bought like any job."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from relightflow import api
from relightflow.errors import Exit
from relightflow.maintenance.check import retry_failed_checks
from relightflow.model.attempt import State
from relightflow.model.check import CheckResult, Verdict
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.model.summary import Summary
from relightflow.plugins.check import CheckView, Measured
from relightflow.plugins.records import CheckContext, CheckRecord
from relightflow.plugins.registry import Loaded
from tests.conftest import Stage
from tests.scripted_backend import fails


class Picky:
    """Fails the results of the jobs whose keys are in `bad`."""

    bad: set[str] = set()  # noqa: RUF012  a test fills it
    basis = ""

    def __init__(self, context: CheckContext) -> None:
        self.basis = " ".join(sorted(self.bad))

    def measure(self, view: CheckView) -> Any:
        return view.output.job.key

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        return [
            CheckResult(Verdict.FAIL if item.value in self.bad else Verdict.PASS, message="picky")
            for item in results
        ]


@pytest.fixture
def picky(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Two cells; the first one's result is bad."""
    monkeypatch.setattr(Picky, "bad", set())
    checks = {"picky": Loaded(CheckRecord("picky", "For tests", Picky, severity="fail"), "test")}
    stage.registry = replace(stage.registry, checks=checks)
    stage.recipe(shades=[0, 1])
    stage.path.write_text(stage.path.read_text() + "checks: [picky]\n")
    assert stage.run().exit is Exit.OK
    Picky.bad.add(stage.provider.bill[0])
    return stage


def retried(stage: Stage, cap: int = 100_000_000) -> Summary:
    plan, count = retry_failed_checks(stage.plan(), stage.registry, stage.state_dir)
    stage.notices.append(f"{count} to retry")
    options = RunOptions(limits=(SpendLimit(cap, "limits.max_cost"),))
    made = api.run(plan, stage.registry, stage.state_dir, options, stage.operator)
    return asyncio.run(made)


def records(stage: Stage) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in (stage.out / "manifest.jsonl").read_text().splitlines()[1:]
    ]


def delivered(stage: Stage) -> bytes:
    return (stage.out / "a-0-0.png").read_bytes()


def test_a_failed_check_alone_buys_nothing(picky: Stage) -> None:
    summary = picky.run()
    assert (summary.exit, len(picky.provider.bill)) == (Exit.JOBS_FAILED, 2)
    assert "failed the check 'picky' (billed)" in summary.issues[0].message


def test_a_retry_takes_the_place_and_the_name_of_the_failed_result(picky: Stage) -> None:
    before = delivered(picky)
    summary = retried(picky)
    assert (summary.exit, summary.counts.made, len(picky.provider.bill)) == (Exit.OK, 1, 3)
    first, second = records(picky)
    assert (first["repeat"], first["retry"], first["instead_of"]) == (0, 1, picky.provider.bill[0])
    assert first["key"] == picky.provider.bill[2]
    assert "retry" not in second
    assert delivered(picky) != before
    assert picky.images() == ["a-0-0.png", "a-1-0.png"]


def test_later_runs_keep_it_and_change_nothing(picky: Stage) -> None:
    retried(picky)
    manifest, image = (picky.out / "manifest.jsonl").read_bytes(), delivered(picky)
    assert picky.run().exit is Exit.OK
    assert len(picky.provider.bill) == 3
    assert ((picky.out / "manifest.jsonl").read_bytes(), delivered(picky)) == (manifest, image)
    Picky.bad.clear()
    picky.run()
    assert delivered(picky) == image, "a changed check changes no picture"


def test_a_retry_that_fails_too_is_retried_only_when_asked_again(picky: Stage) -> None:
    retried(picky)
    Picky.bad.add(picky.provider.bill[2])
    assert picky.run().exit is Exit.JOBS_FAILED
    assert len(picky.provider.bill) == 3
    assert retried(picky).exit is Exit.OK
    assert records(picky)[0]["retry"] == 2
    assert len(picky.provider.bill) == 4


def test_where_nothing_fails_nothing_is_made(picky: Stage) -> None:
    Picky.bad.clear()
    assert retried(picky).counts.made == 0
    assert picky.notices[-1] == "0 to retry"


def test_the_cap_holds_and_the_failed_result_stays(picky: Stage) -> None:
    before = delivered(picky)
    summary = retried(picky, cap=120_000)
    assert summary.exit is Exit.BUDGET
    assert len(picky.provider.bill) == 2
    assert records(picky)[0]["key"] == picky.provider.bill[0]
    assert delivered(picky) == before
    assert picky.run().counts.made == 0, "a plain run does not buy what a retry could not"


def test_a_retry_that_fails_is_told_and_the_failed_result_stays(picky: Stage) -> None:
    before = delivered(picky)

    def refuse(*_: object) -> None:
        raise fails(FailureKind.JOB_FAILED)

    picky.provider.on_submit = refuse
    summary = retried(picky)
    assert summary.counts.failed == 1
    assert any("job" in issue.message and "not billed" in issue.message for issue in summary.issues)
    assert (records(picky)[0]["status"], delivered(picky)) == ("done", before)


def test_a_retry_with_an_unknown_outcome_is_held(picky: Stage) -> None:
    def cut(*_: object) -> None:
        raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    picky.provider.on_submit = cut
    assert retried(picky).exit is Exit.UNKNOWN
    assert records(picky)[0]["status"] == "done"
    assert [state for state in picky.states() if state is State.UNKNOWN]


def test_a_result_that_was_paid_for_before_the_crash_is_not_bought_again(picky: Stage) -> None:
    """Bought, and not noted: the same repeat is taken from the store."""
    plan, _ = retry_failed_checks(picky.plan(), picky.registry, picky.state_dir)
    retried(picky)

    async def forget() -> None:
        from relightflow.ledger.ledger import RETRIES, Ledger

        ledger = Ledger(picky.state_dir.ledger)
        await ledger.remember(RETRIES, picky.provider.bill[0], None)
        ledger.close()

    asyncio.run(forget())
    assert not picky.plan().retries
    assert retried(picky).counts.made == 0
    assert len(picky.provider.bill) == 3
    assert picky.plan().retries == plan.retries


def test_a_repeat_that_the_recipe_asks_for_by_now_is_its_own_again(picky: Stage) -> None:
    retried(picky)
    text = picky.path.read_text()
    picky.path.write_text(text.replace("repeat: 1", "repeat: 2"))
    Picky.bad.clear()
    assert picky.run().exit is Exit.OK
    found = records(picky)
    assert [record["key"] for record in found[:2]] == [
        picky.provider.bill[0],
        picky.provider.bill[2],
    ]
    assert not any("retry" in record for record in found)
    assert len(picky.provider.bill) == 4, "only the other cell's second repeat was missing"
