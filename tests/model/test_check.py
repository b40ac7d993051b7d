from __future__ import annotations

from typing import get_args

import pytest

from relightflow.model.check import CheckResult, Severity, Verdict


@pytest.mark.parametrize("severity", get_args(Severity))
@pytest.mark.parametrize("verdict", Verdict)
def test_only_a_failed_check_that_its_author_calls_a_failure_is_one(
    verdict: Verdict, severity: Severity
) -> None:
    result = CheckResult(verdict, severity=severity)
    assert result.failed is (verdict is Verdict.FAIL and severity == "fail")


def test_the_words_that_manifests_hold_do_not_change() -> None:
    assert [str(verdict) for verdict in Verdict] == ["pass", "fail", "unsure", "error"]
