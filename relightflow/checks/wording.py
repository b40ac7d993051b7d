"""Verdicts in their final form: rounded, so that the same results give the same manifest."""

from __future__ import annotations

import math

from relightflow.checks.siblings import Standing
from relightflow.model.check import CheckResult, Verdict

_DIGITS = 3


def rounded(value: float) -> float:
    """Three digits behind the point; never -0.0."""
    return round(value, _DIGITS) + 0.0


def at_least(
    value: float, fail: float, unsure: float, unit: str, message: str, doubt: str = ""
) -> CheckResult:
    """Fails below `fail`, is unsure below `unsure`, which is not smaller."""
    if math.isnan(value):
        return CheckResult(Verdict.UNSURE, None, rounded(fail), unit, "there is nothing to measure")
    verdict = Verdict.FAIL if value < fail else Verdict.UNSURE if value < unsure else Verdict.PASS
    words = {Verdict.FAIL: message, Verdict.UNSURE: doubt or message}.get(verdict, "")
    return CheckResult(verdict, rounded(value), rounded(fail), unit, words)


def at_most(
    value: float, fail: float, unsure: float, unit: str, message: str, doubt: str = ""
) -> CheckResult:
    """Fails above `fail`, is unsure above `unsure`, which is not larger."""
    found = at_least(-value, -fail, -unsure, unit, message, doubt)
    return CheckResult(found.verdict, rounded(value), rounded(fail), unit, found.message)


def standing(found: Standing, least: float, unit: str, wrong: str, weak: str) -> CheckResult:
    """A result's place in an order as a verdict: `least` is the smallest difference that counts."""
    if found.margin is None:
        return CheckResult(Verdict.UNSURE, None, least, unit, weak)
    value = rounded(found.margin)
    if found.faulty and found.margin < -least:
        return CheckResult(Verdict.FAIL, value, least, unit, wrong)
    if found.faulty or found.margin <= least:
        return CheckResult(Verdict.UNSURE, value, least, unit, weak)
    return CheckResult(Verdict.PASS, value, least, unit)


def no_source() -> CheckResult:
    return CheckResult(Verdict.UNSURE, message="the input image cannot be read here")
