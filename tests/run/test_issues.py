"""What did not work, told by cause: with whether it was billed, and what to do next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relightflow.errors import Exit
from relightflow.ledger.rows import JobState
from relightflow.model.attempt import State
from relightflow.model.evidence import Needs, Undecided
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.image import Image, Rejected
from relightflow.model.job import Job, Output
from relightflow.model.outcome import Outcome
from relightflow.model.summary import Issue
from relightflow.model.values import FrozenMap
from relightflow.run.issues import FIRST, MOST, IssueLog, describe

IMAGE = Image("a.png", "1" * 64, 9, 2, 2, "image/png", 0, "a.png")


def output(number: int = 0, name: str = "a.png", **cell: Any) -> Output:
    image = replace(IMAGE, name=name)
    job = Job(f"{number:016x}" * 4, image, "studio", "glow", FrozenMap(), 0)
    return Output(number, job, image, FrozenMap(cell))


def state(state: State, billed: Billed, reason: str = "", **facts: Any) -> JobState:
    given = {"result": None, "kind": None, "cost": None, "request_id": ""} | facts
    return JobState(1, state, billed, reason=reason, price=50_000, **given)


def told(*states: JobState | None, log: IssueLog | None = None) -> tuple[Issue, ...]:
    log = log or IssueLog()
    for number, one in enumerate(states):
        log.job_state(output(number, f"{number}.png"), one)
    return log.all()


def test_jobs_with_one_cause_are_one_line_with_the_first_few_named() -> None:
    (issue,) = told(*[state(State.FAILED, Billed.NO, "refused")] * (FIRST + 3))
    assert issue.message == "refused (not billed)"
    assert issue.items == ("0.png", "1.png", "2.png", "3.png", "4.png")
    assert issue.count == FIRST + 3


def test_causes_without_end_share_a_line() -> None:
    issues = told(*[state(State.FAILED, Billed.NO, f"cause {n}") for n in range(MOST + 10)])
    assert len(issues) == MOST + 1
    (other,) = [issue for issue in issues if issue.count > 1]
    assert (other.message, other.count) == ("other causes; the manifest lists each", 10)


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        (
            state(State.FAILED, Billed.YES, "no image", kind=FailureKind.BAD_RESULT, cost=40_000),
            Exit.JOBS_FAILED,
            "no image (billed, 0.04 USD). It is not bought again automatically",
        ),
        (
            state(State.FAILED, Billed.NO),
            Exit.JOBS_FAILED,
            "no reason was given (not billed)",
        ),
        (
            state(State.ACCEPTED, Billed.UNKNOWN),
            Exit.EARLY,
            "not collected yet. Run again to collect it at no cost",
        ),
        (
            state(State.PAID_UNFETCHED, Billed.YES, cost=50_000),
            Exit.UNKNOWN,
            "the answer was cut short (billed, 0.05 USD). The next run asks the provider what became of "
            "it; 'relightflow resolve' lists it and lets you decide",
        ),
        (
            state(State.UNKNOWN, Billed.UNKNOWN, "no answer"),
            Exit.UNKNOWN,
            "no answer (may have been billed, 0.05 USD). The next run asks the provider what became of it",
        ),
    ],
)  # fmt: skip
def test_a_line_says_whether_it_was_billed_and_what_comes_next(
    found: JobState, code: Exit, words: str
) -> None:
    (issue,) = told(found)
    assert (issue.exit, issue.message) == (code, words)


@pytest.mark.parametrize(
    ("needs", "at", "words"),
    [
        (Needs.PERSON, None, "'relightflow resolve' lets you decide"),
        (Needs.RUN, None, "The next run settles it; it may send the call again, which is billed"),
        (Needs.PURCHASE, None, "The next purchase settles it; 'relightflow resolve' lets you"),
        (Needs.TIME, None, "The records can settle it soon: 'relightflow run --wait' waits"),
        (Needs.TIME, 1_800_000_000.0, "can settle it from 2027-01-15 08:00 UTC on: 'relight"),
    ],
)
def test_an_unknown_outcome_says_what_settles_it(
    needs: Needs, at: float | None, words: str
) -> None:
    found = state(State.UNKNOWN, Billed.UNKNOWN, "no answer", undecided=Undecided(needs, "so", at))
    log = IssueLog()
    (issue,) = told(found, log=log)
    assert "It is not settled yet because so. " in issue.message
    assert words in issue.message
    assert log.needs == {needs}


def test_what_is_in_place_or_not_begun_is_no_issue() -> None:
    log = IssueLog()
    whole, none = state(State.DONE, Billed.YES), state(State.READY, Billed.NO, "unsent")
    assert told(whole, none, None, log=log) == ()
    assert (log.statuses["done"], log.statuses["missing"]) == (1, 2)


def test_what_the_ledger_does_not_hold_is_told_from_the_stream() -> None:
    log = IssueLog()
    log.outcome(Outcome(output(0).job, failure=Failure(FailureKind.UNSENT, "no route")))
    (issue,) = told(state(State.READY, Billed.NO), log=log)
    assert (issue.exit, issue.message) == (Exit.EARLY, "no route (not billed)")


def test_a_failure_that_was_mended_meanwhile_is_not_told_but_damage_is() -> None:
    stored = state(State.STORED, Billed.YES)
    for kind, count in ((FailureKind.PENDING, 0), (FailureKind.DAMAGED, 1)):
        log = IssueLog()
        log.outcome(Outcome(output(0).job, failure=Failure(kind, "lost", Billed.YES)))
        assert len(told(stored, log=log)) == count


def test_only_the_jobs_of_the_selection_count_each_once() -> None:
    log = IssueLog({int(output(1).job.id, 16)})
    for number in (2, 1, 1, 3):
        log.job_state(output(number), state(State.FAILED, Billed.NO, "no"))
    assert log.statuses == {"failed": 1}
    assert [issue.count for issue in log.all()] == [1]


def test_the_gravest_comes_first_and_a_reason_is_told_once() -> None:
    log = IssueLog()
    log.rejected(Rejected("b.png", "empty", 0))
    log.rejected(Rejected("c.png", "private address", 0, refused=True))
    for _ in range(2):
        log.issue(Issue(Exit.STORAGE, "full"))
    assert [issue.exit for issue in log.all()] == [Exit.STORAGE, Exit.REFUSED, Exit.JOBS_FAILED]


def test_an_output_is_its_image_its_values_and_a_repeat_that_is_not_the_first() -> None:
    plain, valued = output(), output(light="left", n=2)
    assert describe(plain) == "a.png"
    assert describe(valued) == "a.png (left, 2)"
    again = replace(valued, job=replace(valued.job, repeat=1))
    assert describe(again) == "a.png (left, 2, repeat 1)"
