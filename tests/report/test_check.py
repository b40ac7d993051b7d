"""Verdicts in words, for programs and as test cases."""

from __future__ import annotations

from relightflow.model.check import CheckResult, Severity, Verdict
from relightflow.model.check_report import CheckedOutput, CheckReport
from relightflow.report.check import as_document, as_suite, in_words
from tests.checks.drawn import output


def check(verdict: Verdict, severity: Severity = "fail", message: str = "why") -> CheckResult:
    said = "" if verdict is Verdict.PASS else message
    return CheckResult(verdict, 0.2, 0.5, "stops", said, "direction", severity)


def report(*checks: CheckResult) -> CheckReport:
    made = [
        CheckedOutput(output(n, {"light_direction": "left"}), True, (found,))
        for n, found in enumerate(checks)
    ]
    return CheckReport("sweep", (*made, CheckedOutput(output(9, {}), False)))


def test_the_gravest_verdicts_come_first_with_what_was_measured() -> None:
    found = report(check(Verdict.UNSURE), check(Verdict.PASS), check(Verdict.FAIL))
    assert in_words(found).splitlines() == [
        "sweep: 3 results (1 not made yet), 1 check passed, 1 failed, 1 unsure",
        "! direction: 1 result failed",
        "    photos/drawn.png (left): why (0.2 stops, bound 0.5)",
        "? direction: 1 result unsure",
        "    photos/drawn.png (left): why (0.2 stops, bound 0.5)",
    ]


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    said = in_words(report(check(Verdict.FAIL, message="\x1b[2Jgone")))
    assert "\x1b" not in said


def test_a_program_gets_every_output_with_every_verdict() -> None:
    document = as_document("r.yaml", report(check(Verdict.FAIL), check(Verdict.FAIL, "warn")))
    assert document["counts"] == {
        "outputs": 3, "results": 2, "failed_results": 1, "pass": 0, "fail": 2, "unsure": 0, "error": 0,
    }  # fmt: skip
    assert [len(one["checks"]) for one in document["outputs"]] == [1, 1, 0]


def test_in_junit_only_failures_of_severity_fail_are_failures() -> None:
    verdicts = [
        check(Verdict.PASS), check(Verdict.FAIL), check(Verdict.FAIL, "warn"),
        check(Verdict.UNSURE), check(Verdict.ERROR),
    ]  # fmt: skip
    cases = as_suite(report(*verdicts)).cases
    assert [case.verdict for case in cases] == ["passed", "failure", "skipped", "skipped", "error"]
    assert (cases[1].name, cases[1].type) == ("direction: light_direction=left", "direction")
