"""Results that workers measure: the same verdicts, and this process for what they cannot read."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from relightflow.checks import measuring
from relightflow.plugins.executor import TaskRefused
from relightflow.sources.glob import Glob
from tests.checks.drawn import as_bytes, scene
from tests.conftest import Stage
from tests.scripted_executor import ScriptedExecutor, installed, never

RECIPE = """\
version: 1
name: demo
sources: [{type: glob, include: ["in/*"]}]
backend: {type: preview}
matrix: {light_direction: [left, right], light_temperature: [warm, cool]}
checks: default
sinks: [SINK]
"""


@pytest.fixture
def checked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    measuring._made.cache_clear()
    measuring._sources.clear()
    (stage.folder / "in/a.png").unlink()
    (stage.folder / "in/a.jpg").write_bytes(as_bytes(scene(1)))
    sink = json.dumps({"type": "directory", "path": "out/"})
    stage.path.write_text(RECIPE.replace("SINK", sink))
    return stage


def _verdicts(stage: Stage) -> list[Any]:
    lines = (stage.out / "manifest.jsonl").read_text().splitlines()
    return [json.loads(line).get("checks") for line in lines[1:]]


def _again(stage: Stage, executor: ScriptedExecutor) -> list[Any]:
    """The verdicts of another run, with what was found before forgotten."""
    for kept in (stage.state_dir.cache / "checks").glob("*/*"):
        kept.unlink()
    assert stage.run(**installed(stage, executor)).exit in (0, 1)
    return _verdicts(stage)


def test_workers_come_to_the_same_verdicts(checked: Stage) -> None:
    checked.run()
    here = _verdicts(checked)
    executor = ScriptedExecutor()
    assert here[0]
    assert _again(checked, executor) == here
    assert executor.names.count("check") == 4
    assert max(map(len, executor.received)) < 64 << 10


def test_what_no_worker_measures_is_measured_here(checked: Stage) -> None:
    checked.run()
    here = _verdicts(checked)
    assert _again(checked, ScriptedExecutor(never)) == here


def test_a_worker_that_cannot_read_an_image_judges_nothing(
    checked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its input image a result would get another verdict."""
    checked.run()
    here = _verdicts(checked)

    def unread(*_: object) -> Any:
        raise OSError("not here")

    monkeypatch.setattr(measuring, "_source", unread)
    assert _again(checked, ScriptedExecutor()) == here
    assert "a worker could not read an image: not here" in " ".join(checked.notices)


def test_a_worker_that_sees_another_input_image_judges_nothing(
    checked: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the edited image of the same name, the verdicts would be others."""
    checked.run()
    here = _verdicts(checked)
    monkeypatch.setattr(Glob, "reader", lambda *_: partial(as_bytes, scene(2)))
    executor = ScriptedExecutor()
    assert _again(checked, executor) == here
    assert "check" in executor.names
    assert "a worker sees another content of an input image" in " ".join(checked.notices)


def test_a_worker_with_other_files_of_a_check_refuses(checked: Stage) -> None:
    recipe = checked.plan().recipe
    made = measuring.make_check(recipe.checks[0], checked.registry, Path())
    other = measuring.Blueprint(made.spec, made.folder, "something else")
    with pytest.raises(TaskRefused, match="sees other files of the check"):
        measuring._made(other)
