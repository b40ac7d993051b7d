"""`reconcile`: the period it compares, and a bill over a real connection."""

from __future__ import annotations

import json

import pytest

from relightflow.cli import main
from relightflow.cli.commands.reconcile import day
from relightflow.errors import Exit
from tests.cli.commands.conftest import Rehearsal, Write
from tests.cli.program import Relightflow
from tests.conftest import Stage


def test_a_day_is_its_first_second_in_utc() -> None:
    assert day(" 2026-11-20 ") == 1_795_132_800.0
    for wrong in ("2026-11-31", "20.11.2026", "2026-11-20T10:00", "today", ""):
        with pytest.raises(ValueError, match="use the form 2026-11-20"):
            day(wrong)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--since", "2026-02-02", "--until", "2026-02-01"), "--since is not before --until"),
        (("--since", "2999-01-01"), "--since is not before --until"),
        (("--since", "soon"), "'soon' is not a valid date"),
        ((), "this state has no paid calls, so it names no backend; name one with --backend"),
    ],
)
def test_a_period_that_cannot_be_is_a_mistake_of_the_command_line(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(stage.folder)
    assert main(["reconcile", *options]) == Exit.INVALID
    assert words in capsys.readouterr().err


def test_a_bill_that_agrees_ends_with_0(
    relightflow: Relightflow, write: Write, rehearsal: Rehearsal
) -> None:
    write(backend="segmind")
    run = relightflow("run", "spring.yaml", "--max-cost", "1", env=rehearsal.env)
    assert run.returncode == 0, run.stderr
    done = relightflow("reconcile", "--json", env=rehearsal.env)
    document = json.loads(done.stdout)
    assert (done.returncode, document["requests"], document["findings"]) == (0, 2, [])
    assert document["billed_usd"] == document["recorded_usd"] == 0.1
