from __future__ import annotations

from relightflow.model.catalog import FREE, Model
from relightflow.model.check import CheckResult, Verdict
from relightflow.model.check_report import CheckedOutput
from relightflow.model.job import Output
from relightflow.model.values import FrozenMap
from relightflow.testing.samples import sample_image, sample_job

IMAGE = sample_image(b"")
OUTPUT = Output(0, sample_job(IMAGE, "b", Model("m", (), FREE), {}), IMAGE, FrozenMap())
PASS, FAIL = CheckResult(Verdict.PASS), CheckResult(Verdict.FAIL)
WARNED = CheckResult(Verdict.FAIL, severity="warn")


def test_one_failure_among_all_checks_fails_an_output() -> None:
    assert CheckedOutput(OUTPUT, True, (PASS, FAIL, PASS)).failed
    assert not CheckedOutput(OUTPUT, True, (PASS, WARNED)).failed
    assert not CheckedOutput(OUTPUT, False).failed
