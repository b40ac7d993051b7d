"""Signals, sent to real processes: by the backend itself, at the n-th submit."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from relightflow.model.attempt import State
from tests.conftest import Program, Stage


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("mode", ["instant", "v1", "v2"])
def test_the_first_signal_ends_the_run_and_the_next_run_finishes_it(
    stage: Stage, program: Program, name: str, code: int, mode: str
) -> None:
    stage.recipe(list(range(8)), concurrency=2)
    ended, said = program.run(mode=mode, signals=f"{name}@3")
    assert ended == code, said
    assert "interrupted" in said
    assert "relightflow run recipe.yaml" in said
    assert len(program.billed()) < 8
    assert not {State.INTENT, State.UNKNOWN} & set(stage.states())
    assert program.run(mode=mode)[0] == 0
    assert Counter(program.billed()) == Counter(a.job_key for a in stage.attempts())
    assert len(stage.images()) == 8


def test_a_call_that_does_not_answer_gets_a_grace_and_is_a_doubt_then(
    stage: Stage, program: Program
) -> None:
    stage.recipe([0, 1], concurrency=1)
    ended, said = program.run(mode="v2", seconds=3600, signals="SIGINT@0")
    assert ended == 130, said
    assert stage.states() == [State.UNKNOWN]
    assert "may have been billed" in said


def test_a_second_signal_leaves_at_once(stage: Stage, program: Program) -> None:
    stage.recipe([0, 1, 2], concurrency=1)
    ended, said = program.run(mode="v2", seconds=3600, signals="SIGINT@0 SIGINT@0+")
    assert ended == 130, said
    assert stage.states() == [State.INTENT]
    assert "in place" not in said  # there was no time for a summary


def test_a_closed_pipe_on_standard_output_decides_nothing(stage: Stage, program: Program) -> None:
    read, write = os.pipe()
    os.close(read)
    stage.recipe([0, 1])
    process = program.start("--json", stdout=write)
    os.close(write)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert len(program.billed()) == 2
    assert len(stage.images()) == 2


def test_a_finished_run_leaves_the_signals_as_they_were(stage: Stage) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    stage.run()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
