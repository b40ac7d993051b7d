"""The plug is pulled, with a real SIGKILL in a real process, at every place that has a name."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random
from subprocess import TimeoutExpired

import pytest

from relightflow.core import failpoints
from relightflow.model.attempt import State
from tests.conftest import Program, Stage

ROOT = Path(__file__).parents[2]
SHADES = [0, 1, 2]
NEVER_IN = {
    "v2": {"after-paid", "recovery-collected"},
    "instant": {"after-accepted", "after-result-known", "after-paid", "after-collect",
                "recovery-collected"},
}  # fmt: skip
DOUBTFUL = {"after-intent", "after-submit"}
"""The body may have left, and no request id is durable."""


def points(mode: str) -> list[str]:
    return [point for point in failpoints.POINTS if point not in NEVER_IN[mode]]


def undisturbed(folder: Path, mode: str, recipe: Path) -> bytes:
    """The manifest of a run that nobody disturbed."""
    folder.mkdir()
    stage = Stage(folder)
    stage.path.write_bytes(recipe.read_bytes())
    stage.provider.mode = mode
    stage.run()
    return (stage.out / "manifest.jsonl").read_bytes()


def finish(stage: Stage, program: Program, mode: str) -> int:
    """The next run, in this process, with the same bill."""
    stage.provider.mode, stage.provider.book = mode, program.book
    return stage.run().exit


@pytest.mark.parametrize("point", points("v2"))
def test_the_run_after_a_kill_finishes_and_pays_nothing_twice(
    stage: Stage, program: Program, tmp_path: Path, point: str
) -> None:
    stage.recipe(SHADES, rate="1000/1s")  # all three are submitted at once
    code, said = program.run(mode="v2", crash=f"{point}:1")
    assert code == -9, said
    ended = finish(stage, program, "v2")
    bill = program.billed()
    assert len(set(bill)) == len(bill)
    stored = {a.job_key for a in stage.attempts() if a.state is State.DONE}
    doubts = {a.job_key for a in stage.attempts() if a.state is State.UNKNOWN}
    assert set(bill) <= stored | doubts
    if point in DOUBTFUL:
        assert (ended, bool(doubts)) == (5, True)
        return
    assert (ended, len(stored), len(stage.images())) == (0, 3, 3)
    calm = undisturbed(tmp_path / "calm", "v2", stage.path)
    assert (stage.out / "manifest.jsonl").read_bytes() == calm


@pytest.mark.parametrize("point", points("instant"))
def test_what_is_free_is_finished_by_the_next_run_wherever_the_kill_came(
    stage: Stage, program: Program, tmp_path: Path, point: str
) -> None:
    stage.recipe(SHADES, model="gift", concurrency=1)
    # results that are ready within a moment of each other go to a sink together
    together = {"before-sink", "after-sink", "after-done"}
    reached_once = {"before-manifest", "after-manifest", "recovery-started"} | together
    code, said = program.run(mode="instant", crash=f"{point}:{1 if point in reached_once else 2}")
    assert code == -9, said
    assert finish(stage, program, "instant") == 0
    states = Counter(stage.states())
    assert states[State.DONE] == 3
    assert set(states) <= {State.DONE, State.READY}
    assert not list(stage.state_dir.blobs.glob("tmp-*"))
    calm = undisturbed(tmp_path / "calm", "instant", stage.path)
    assert (stage.out / "manifest.jsonl").read_bytes() == calm


@pytest.mark.parametrize("point", ["after-paid", "blob-durable", "after-stored"])
def test_an_answer_whose_bill_was_seen_is_collected_after_a_kill(
    stage: Stage, program: Program, point: str
) -> None:
    stage.recipe(SHADES, concurrency=1)
    code, said = program.run(mode="v1", crash=f"{point}:2")
    assert code == -9, said
    assert finish(stage, program, "v1") == 0
    assert len(program.billed()) == 3


@pytest.mark.parametrize("point", ["recovery-started", "recovery-collected", "blob-renamed"])
def test_a_kill_during_recovery_is_recovered_from(
    stage: Stage, program: Program, point: str
) -> None:
    stage.recipe(SHADES)
    program.run(mode="v2", crash="after-accepted:3")
    code, said = program.run(mode="v2", crash=f"{point}:1")
    assert code == -9, said
    assert finish(stage, program, "v2") == 0
    assert Counter(program.billed()) == Counter(a.job_key for a in stage.attempts())


@pytest.mark.parametrize("point", ["blob-durable", "blob-renamed"])
def test_an_image_that_came_with_the_answer_is_adopted_from_the_store(
    stage: Stage, program: Program, point: str
) -> None:
    """Killed between the rename and the commit: the ledger says INTENT, the store has the bytes."""
    stage.recipe([0])
    program.run(mode="instant", crash=f"{point}:1")
    ended = finish(stage, program, "instant")
    assert len(program.billed()) == 1
    if point == "blob-durable":
        assert (ended, stage.states()) == (0, [State.DONE])
        assert stage.images() == ["a-0-0.png"]


def test_killed_again_and_again_it_pays_for_nothing_twice_and_loses_nothing(
    stage: Stage, program: Program
) -> None:
    rng = Random(20)
    stage.recipe(list(range(60)), concurrency=4)
    kills = 0
    for _ in range(12):
        process = program.start(mode="v2", seconds=0.03)
        try:
            process.communicate(timeout=rng.uniform(0.3, 0.8))
        except TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
    assert kills
    finish(stage, program, "v2")
    bill = program.billed()
    assert len(set(bill)) == len(bill)
    alive = {a.job_key: a.state for a in stage.attempts() if a.state is not State.READY}
    assert set(bill) <= set(alive)
    assert set(alive.values()) <= {State.DONE, State.UNKNOWN}
    assert list(alive.values()).count(State.UNKNOWN) <= 4 * kills
    assert len(stage.images()) == list(alive.values()).count(State.DONE)


def test_every_point_is_somewhere_in_the_code_and_no_other() -> None:
    code = "".join(path.read_text() for path in (ROOT / "relightflow").rglob("*.py"))
    named = set(re.findall(r'failpoints\.reach\("([a-z-]+)"\)', code))
    by_step = {"after-accepted", "after-result-known", "after-paid"}  # a table in run/collect.py
    assert named | by_step == set(failpoints.POINTS)


def test_a_point_that_does_not_exist_is_told() -> None:
    with pytest.raises(ValueError, match=r"no crash point 'here'; known: before-intent"):
        failpoints.armed("here:1")


def test_unset_it_costs_nothing() -> None:
    assert failpoints.reach is failpoints._unarmed
