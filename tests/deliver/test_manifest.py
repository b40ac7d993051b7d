"""A manifest's lines: what was made from what, and nothing that differs between two machines."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft7Validator

from relightflow.core import redact
from relightflow.deliver.manifest import (
    STATUSES,
    OutputLines,
    head,
    line,
    record,
    rejected,
    status_of,
)
from relightflow.ledger.rows import JobState
from relightflow.model.attempt import State
from relightflow.model.check import CheckResult, Verdict
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.image import Image, Rejected
from relightflow.model.job import Job, Output
from relightflow.model.outcome import Result
from relightflow.model.output_format import Copy
from relightflow.model.values import FrozenMap
from relightflow.recipe import published
from tests.conftest import Stage

IMAGE = Image("a.png", "1" * 64, 9, 2, 2, "image/png", 0, "/home/me/a.png", url="https://x/?s=1")
JOB = Job("2" * 64, IMAGE, "studio", "glow", FrozenMap({"shade": 1}), 0)
OUTPUT = Output(3, JOB, IMAGE, FrozenMap({"shade": 1}))
RESULT = Result("3" * 64, 5, 4, 3, "image/png", cost=50_000)


def state(state: State, billed: Billed, **facts: Any) -> JobState:
    given: dict[str, Any] = {
        "result": None, "kind": None, "reason": "", "price": 50_000, "cost": None,
        "request_id": "",
    }  # fmt: skip
    return JobState(1, state, billed, **(given | facts))


DONE = state(State.DONE, Billed.YES, result=RESULT, request_id="r")
FAILED = state(State.FAILED, Billed.NO, kind=FailureKind.JOB_FAILED, reason="refused")


@pytest.fixture(scope="module")
def schema() -> Draft7Validator:
    return Draft7Validator(published("manifest-record"))


@pytest.mark.parametrize(
    "facts",
    [
        record(OUTPUT, None, None),
        record(OUTPUT, DONE, "a/b.png"),
        record(OUTPUT, DONE, "a/b.webp", Copy("4" * 64, 7, "image/webp")),
        record(OUTPUT, FAILED, None),
        rejected(Rejected("b.png", "empty", 0)),
    ],
)
def test_every_record_is_valid_one_line_and_names_no_place_of_this_machine(
    facts: dict[str, Any], schema: Draft7Validator
) -> None:
    text = line(facts)
    assert text.count("\n") == 1
    schema.validate(json.loads(text))
    assert "/home" not in text
    assert "https" not in text


def test_the_head_counts_every_status(stage: Stage, schema: Draft7Validator) -> None:
    stage.recipe([0, 1])
    plan = stage.plan()
    facts = head(plan, Counter({"done": 1, "missing": 1}))
    schema.validate(facts)
    assert {status: facts["counts"][status] for status in STATUSES} == {
        "done": 1, "failed": 0, "unknown": 0, "pending": 0, "missing": 1
    }  # fmt: skip
    assert (facts["counts"]["outputs"], facts["counts"]["images"]) == (2, 1)
    assert "rehearsed" not in facts


@pytest.mark.parametrize("one", State)
def test_every_state_of_a_job_is_a_status(one: State) -> None:
    assert status_of(state(one, Billed.UNKNOWN)) in STATUSES
    assert status_of(None) == "missing"


def test_open_calls_are_pending_and_unbilled_ends_are_missing() -> None:
    for one in (State.INTENT, State.ACCEPTED, State.RESULT_KNOWN, State.PAID_UNFETCHED):
        assert status_of(state(one, Billed.UNKNOWN)) == "pending"
    assert status_of(state(State.READY, Billed.NO)) == "missing"


def test_a_result_says_what_it_cost_and_where_it_is_and_no_error() -> None:
    facts = record(OUTPUT, DONE, "a/b.png")
    assert (facts["cost"], facts["path"], facts["request_id"]) == (0.05, "a/b.png", "r")
    assert "error" not in facts
    assert "path" not in record(OUTPUT, DONE, None)


def test_the_plan_is_named_where_it_may_have_cost_something() -> None:
    assert record(OUTPUT, replace(DONE, plan="5" * 64), None)["plan"] == "5" * 64
    assert "plan" not in record(OUTPUT, replace(FAILED, plan="5" * 64), None)


def test_a_secret_in_somebody_elses_words_does_not_reach_the_file() -> None:
    redact.register("hunter2-hunter2")
    said = line(record(OUTPUT, replace(FAILED, reason="bad key hunter2-hunter2"), None))
    assert "hunter2" not in said


def test_what_json_cannot_say_is_no_line() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        line({"cost": float("nan")})


ODD = replace(IMAGE, name='b "é\u2028/c.png', sha256="6" * 64, size=10)
OTHER_CELL = FrozenMap({"shade": 2, "note": 'a "quoted" ü', "warm": 1.5, "on": True})
OUTPUTS = (
    OUTPUT,
    replace(OUTPUT, index=4, job=replace(JOB, key="7" * 64, repeat=1)),
    replace(OUTPUT, image=ODD),
    replace(OUTPUT, cell=OTHER_CELL, job=replace(JOB, parameters=OTHER_CELL)),
    replace(OUTPUT, job=replace(JOB, parameters=OTHER_CELL)),
    replace(OUTPUT, job=replace(JOB, repeat=2), instead_of=JOB),
    OUTPUT,
)
CHECK = CheckResult(Verdict.PASS, 1.5, name="sharp")
JOB_STATES = (
    None,
    FAILED,
    DONE,
    replace(DONE, state=State.STORED, request_id="", result=replace(RESULT, cost=0)),
    replace(DONE, plan="5" * 64, request_id='odd "é'),
    replace(DONE, plan="5" * 64, billed=Billed.NO),
    replace(DONE, state=State.UNKNOWN),
    replace(DONE, result=replace(RESULT, cost=123_456_789_012, media_type='x/"y')),
)


@pytest.mark.parametrize("job_state", JOB_STATES)
@pytest.mark.parametrize("path", [None, 'a/"é.png'])
@pytest.mark.parametrize("copy", [None, Copy("4" * 64, 7, "image/webp", metadata=True)])
@pytest.mark.parametrize("checks", [(), (CHECK,)])
def test_lines_one_after_the_other_are_those_of_their_records(
    job_state: JobState | None, path: str | None, copy: Copy | None, checks: tuple[CheckResult, ...]
) -> None:
    lines = OutputLines()
    for output in OUTPUTS:
        expected = line(record(output, job_state, path, copy, checks))
        assert lines.line(output, job_state, path, copy, checks) == expected


def test_more_cells_than_are_kept_are_written_like_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(OutputLines, "_MOST", 2)
    lines = OutputLines()
    cells = [FrozenMap({"shade": number}) for number in range(5)]
    for cell in (*cells, *cells):
        output = replace(OUTPUT, cell=cell, job=replace(JOB, parameters=cell))
        assert lines.line(output, DONE, None) == line(record(output, DONE, None))
