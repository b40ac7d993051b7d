"""Sinks that workers write to: the same files, and what cannot be seen from here is written from here."""

from __future__ import annotations

import os
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relightflow.deliver import remote
from relightflow.plugins.executor import Task
from relightflow.plugins.records import SinkContext
from relightflow.sinks.directory import RECORD, Directory
from tests.conftest import DIRECTORY, Stage
from tests.scripted_executor import ScriptedExecutor, installed, never

SIX = list(range(6))


class _Astray(ScriptedExecutor):
    """Its worker has another working directory."""

    def submit(self, task: Task[Any]) -> Future[Any]:
        here = os.getcwd()
        os.chdir("/")
        try:
            return super().submit(task)
        finally:
            os.chdir(here)


@pytest.fixture(autouse=True)
def _new_worker() -> None:
    remote._sink.cache_clear()


def _delivered(stage: Stage) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(stage.out.iterdir())}


def test_the_files_are_those_that_this_process_would_write(stage: Stage, tmp_path: Path) -> None:
    stage.recipe(SIX, sinks=[{**DIRECTORY, "format": "webp"}])
    executor = ScriptedExecutor()
    assert stage.run(**installed(stage, executor)).exit == 0
    assert executor.names.count("deliver") == 6
    there = _delivered(stage)
    for path in stage.out.iterdir():
        path.unlink()
    assert stage.run().exit == 0
    assert _delivered(stage) == there


def test_what_is_there_costs_no_task(stage: Stage) -> None:
    stage.recipe(SIX)
    stage.run()
    executor = ScriptedExecutor()
    summary = stage.run(**installed(stage, executor))
    assert (summary.exit, summary.counts.delivered, executor.names) == (0, 0, [])


def test_somebody_s_work_is_kept(stage: Stage) -> None:
    stage.recipe(SIX)
    stage.out.mkdir()
    (stage.out / "a-3-0.png").write_bytes(b"mine")
    summary = stage.run(**installed(stage, ScriptedExecutor()))
    assert summary.exit == 1
    assert (stage.out / "a-3-0.png").read_bytes() == b"mine"
    assert len(stage.images()) == 6


def test_a_file_that_a_worker_wrote_elsewhere_is_written_here(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that sees the results but another folder of the sink's name."""
    stage.recipe(SIX)
    elsewhere = tmp_path_factory.mktemp("node")

    class Local(Directory):
        @property
        def location(self) -> str:
            return str(stage.out)

    def made(_: str, context: SinkContext, __: str) -> Any:
        return Local(replace(context, folder=elsewhere))

    monkeypatch.setattr(remote, "_sink", made)
    monkeypatch.setattr(made, "cache_clear", lambda: None, raising=False)
    executor = ScriptedExecutor()
    assert stage.run(**installed(stage, executor)).exit == 0
    assert len(stage.images()) == 6
    assert "did not appear" in " ".join(stage.notices)


def test_a_worker_writes_where_this_process_would(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker has a working directory of its own, and paths in a recipe are relative."""
    stage.recipe(SIX)
    monkeypatch.chdir(stage.folder)
    stage.path = Path("recipe.yaml")
    executor = _Astray()
    assert stage.run(**installed(stage, executor)).exit == 0
    assert not [notice for notice in stage.notices if notice.startswith("executor")]
    assert len(stage.images()) == 6


def test_a_failing_worker_costs_no_delivery(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its credentials or its disk may be worse than ours."""

    def broken(*_: object) -> Any:
        raise OSError("no credentials")

    stage.recipe(SIX)
    monkeypatch.setattr(remote, "_sink", broken)
    monkeypatch.setattr(broken, "cache_clear", lambda: None, raising=False)
    executor = ScriptedExecutor()
    assert stage.run(**installed(stage, executor)).exit == 0
    assert len(stage.images()) == 6
    assert "a worker could not open the sink 'directory': no credentials" in " ".join(stage.notices)


def test_a_sink_that_says_nothing_of_workers_is_written_to_from_here(stage: Stage) -> None:
    stage.sink(replace(RECORD, name="private", remote=False))
    stage.recipe(SIX, sinks=[{**DIRECTORY, "type": "private"}])
    executor = ScriptedExecutor()
    assert stage.run(**installed(stage, executor)).exit == 0
    assert "deliver" not in executor.names
    assert len(stage.images()) == 6


def test_small_images_are_made_by_workers_and_are_the_same_bytes(
    stage: Stage, tmp_path: Path
) -> None:
    def made(**options: Any) -> dict[str, bytes]:
        assert stage.run(overwrite=True, **options).exit == 0
        names = ("gallery", "sheets")
        files = [
            path for name in names for path in (stage.folder / name).rglob("*") if path.is_file()
        ]
        for cached in stage.state_dir.cache.rglob("*.webp"):
            cached.unlink()
        found = {str(path.relative_to(stage.folder)): path.read_bytes() for path in files}
        for path in files:
            path.unlink()
        return found

    sinks = [
        DIRECTORY,
        {"type": "gallery", "path": "gallery"},
        {"type": "contact-sheet", "path": "sheets", "format": "png"},
    ]
    stage.recipe(SIX, sinks=sinks)
    executor = ScriptedExecutor()
    apart = made(**installed(stage, executor))
    assert executor.names.count("thumbnail") == 12, "six for the page, six for the sheet"
    assert max(map(len, executor.received)) < 4096
    assert made(**installed(stage, ScriptedExecutor(never))) == apart
    assert made() == apart
    assert len(apart) > 10
