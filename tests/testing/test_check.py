"""The check kit sees what a careless check does wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relightflow.model.check import CheckResult, Verdict
from relightflow.plugins.check import CheckView, Measured
from relightflow.plugins.records import CheckContext, CheckRecord
from relightflow.testing import verify_check


class Sound:
    """Right, until a subclass spoils one thing."""

    def __init__(self, context: CheckContext) -> None:
        self.calls = 0

    def measure(self, view: CheckView) -> Any:
        return round(float(view.result.luma.mean()), 3)

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        return [CheckResult(Verdict.PASS, item.value, 1.0, "levels") for item in results]


class Writes(Sound):
    def measure(self, view: CheckView) -> Any:
        view.result.rgb[0, 0] = 0
        return 1.0


class Hoards(Sound):
    def measure(self, view: CheckView) -> Any:
        return bytes(100_000)


class NeedsSource(Sound):
    def measure(self, view: CheckView) -> Any:
        assert view.source is not None, "assert"
        return 1.0


class Forgets(Sound):
    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        return [CheckResult(Verdict.PASS) for _ in results][1:]


class Unrounded(Sound):
    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        return [CheckResult(Verdict.PASS, 1 / 3) for _ in results]


class Endless(Sound):
    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        return [CheckResult(Verdict.PASS, float("inf")) for _ in results]


class Silent(Sound):
    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        return [CheckResult(Verdict.FAIL) for _ in results]


class Nonsense(Sound):
    def judge(self, results: Sequence[Measured]) -> Any:
        return [True for _ in results]


class Moody(Sound):
    turns = 0

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        type(self).turns += 1
        return [CheckResult(Verdict.PASS, float(self.turns)) for _ in results]


RECORD = CheckRecord("sound", "For tests", Sound)


def test_a_sound_check_passes(tmp_path: Path) -> None:
    verify_check(RECORD, tmp_path, {})


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Writes, "read-only"), (Hoards, "keeps 100,"), (NeedsSource, "assert"), (Forgets, "gave 3 verdicts"),
        (Unrounded, "is not rounded"), (Endless, "cannot stand in a manifest"),
        (Silent, "without a word why"), (Nonsense, "is no CheckResult"), (Moody, "other verdicts"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(kind: type[Sound], words: str, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, ValueError), match=words):
        verify_check(replace(RECORD, create=kind), tmp_path, {})


def test_a_default_check_needs_no_options(tmp_path: Path) -> None:
    schema = {
        "type": "object", "additionalProperties": False, "required": ["x"],
        "properties": {"x": {"type": "integer"}},
    }  # fmt: skip
    needy = replace(RECORD, schema=schema)
    verify_check(needy, tmp_path, {"x": 1})
    with pytest.raises(AssertionError, match="its own schema refuses the options"):
        verify_check(replace(needy, default=True), tmp_path, {"x": 1})


def test_severity_belongs_to_relightflow(tmp_path: Path) -> None:
    schema = {
        "type": "object", "additionalProperties": False, "properties": {"severity": {"type": "string"}},
    }  # fmt: skip
    with pytest.raises(AssertionError, match="severity belongs to"):
        verify_check(replace(RECORD, schema=schema), tmp_path, {})
