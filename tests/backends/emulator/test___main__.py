from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.backends.emulator.__main__ import main
from relightflow.errors import Exit


def test_wrong_fault_plan_ends_the_process_with_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("rules: [{at: submit, fault: hangs}]")
    assert main(["--faults", str(plan)]) == Exit.INVALID
    said = capsys.readouterr()
    assert "did you mean 'hang'?" in said.err
    assert said.out == ""


def test_public_address_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", "0.0.0.0"]) == Exit.REFUSED
    assert "0.0.0.0" in capsys.readouterr().err


def test_an_option_that_does_not_exist_is_a_mistake_of_the_caller(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--prot", "0"]) == Exit.INVALID
    assert "--prot" in capsys.readouterr().err
