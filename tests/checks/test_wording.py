"""Verdicts in their final form."""

from __future__ import annotations

import pytest

from relightflow.checks.siblings import Standing
from relightflow.checks.wording import at_least, at_most, rounded, standing


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.5, "fail"), (1.0, "unsure"), (1.5, "pass"), (float("nan"), "unsure")]
)
def test_below_the_bound_it_fails_and_near_it_is_unsure(value: float, verdict: str) -> None:
    found = at_least(value, 1.0, 1.5, "stops", "too little", "hardly enough")
    assert found.verdict == verdict
    assert (found.message == "") is (verdict == "pass")


def test_above_the_bound_it_fails() -> None:
    assert [at_most(v, 2, 1, "%", "too much").verdict for v in (0.5, 1.5, 3)] == [
        "pass", "unsure", "fail",
    ]  # fmt: skip
    assert at_most(3, 2, 1, "%", "too much").value == 3


def test_numbers_are_rounded_and_zero_has_no_sign() -> None:
    assert (rounded(1.23456), str(rounded(-0.0001))) == (1.235, "0.0")


def test_only_clear_evidence_fails() -> None:
    def said(margin: float | None, faulty: bool = False) -> str:
        return standing(Standing(margin, faulty), 0.1, "b*", "wrong", "weak").verdict

    assert (said(0.5), said(0.05), said(None)) == ("pass", "unsure", "unsure")
    assert (said(-0.5, faulty=True), said(-0.05, faulty=True)) == ("fail", "unsure")
