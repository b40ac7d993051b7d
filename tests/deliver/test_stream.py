"""Delivery of whole runs: what sinks get, what becomes of it, and what a sink may do wrong."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from relightflow.errors import Exit, InvalidRecipe
from relightflow.model.attempt import State
from relightflow.model.failure import FailureKind
from relightflow.plugins.records import SinkContext, SinkRecord
from relightflow.plugins.sink import Artifact, FileState, FinishedRun, SinkFailed, WriteReceipt
from tests.conftest import DIRECTORY, Stage
from tests.scripted_backend import fails, png

SHEETS = {"type": "contact-sheet", "path": "sheets/"}
MOODY = {"type": "moody"}


class Moody:
    """A sink in memory that fails whenever the test says so."""

    location = "mem://moody"

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.writes = 0
        self.issue: Callable[[str], Exception | None] = lambda path: None

    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        return FileState.SAME if path in self.files else FileState.MISSING

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        self.writes += 1
        error = self.issue(path)
        if error:
            raise error
        self.files[path] = data
        return WriteReceipt(sha256(data).hexdigest(), len(data), "m")

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        return ()

    def close(self) -> None:
        pass


@pytest.fixture
def moody(stage: Stage) -> Moody:
    sink = Moody()

    def create(context: SinkContext) -> Any:
        return sink

    stage.sink(SinkRecord("moody", "For tests", create))
    return sink


def tree(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every file: bytes, modification time, inode."""
    return {
        str(path.relative_to(folder)): (
            path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino,
        )
        for path in folder.rglob("*")
        if path.is_file()
    }  # fmt: skip


def test_a_result_is_hashed_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is stored; the sinks get the very same bytes."""
    hashed: list[bytes] = []
    real = hashlib.sha256

    def counting(data: bytes = b"", **options: Any) -> Any:
        hashed.append(bytes(data))
        return real(data, **options)

    monkeypatch.setattr(hashlib, "sha256", counting)
    stage.recipe([0, 1], sinks=[DIRECTORY])
    stage.run()
    results = [path.read_bytes() for path in stage.out.glob("*.png")]
    assert [hashed.count(result) for result in results] == [1, 1]


def test_a_second_run_touches_no_file_anywhere(stage: Stage) -> None:
    stage.recipe([0, 1, 2], sinks=[DIRECTORY, SHEETS])
    stage.run()
    before = tree(stage.out), tree(stage.folder / "sheets")
    assert before[1]
    summary = stage.run()
    assert (tree(stage.out), tree(stage.folder / "sheets")) == before
    assert (summary.exit, summary.counts.delivered) == (0, 0)


def test_the_manifest_does_not_depend_on_the_order_in_which_jobs_finish(
    stage: Stage, tmp_path: Path
) -> None:
    manifests = []
    for name, concurrency in (("a", 1), ("b", 8)):
        (tmp_path / name).mkdir()
        other = Stage(tmp_path / name)
        other.image("b.png")
        other.path.write_text(stage.path.read_text())
        other.recipe(list(range(12)), concurrency=8)
        if concurrency == 1:
            other.provider.on_submit = _backwards()
        other.run()
        manifests.append((other.out / "manifest.jsonl").read_bytes())
    assert manifests[0] == manifests[1]


def _backwards() -> Any:
    async def wait(number: int) -> None:
        for _ in range(50 - number):
            await asyncio.sleep(0)

    return lambda _, number: wait(number)


def test_every_line_of_the_manifest_is_valid_in_plan_order(stage: Stage) -> None:
    def script(call: Any, _: int) -> None:
        if call.job.parameters["shade"] == 1:
            raise fails(FailureKind.JOB_FAILED)

    (stage.folder / "in" / "broken.png").write_bytes(b"no image")
    stage.recipe([0, 1, 2])
    stage.provider.on_submit = script
    stage.run()
    root = Path(__file__).parents[2]
    schema = json.loads((root / "schemas/manifest-record.schema.json").read_text())
    lines = [json.loads(line) for line in (stage.out / "manifest.jsonl").read_text().splitlines()]
    for line in lines:
        jsonschema.Draft7Validator(schema).validate(line)
    assert [line["record"] for line in lines] == ["recipe"] + ["output"] * 3 + ["rejected"]
    assert [line["status"] for line in lines[1:4]] == ["done", "failed", "done"]
    assert [line["index"] for line in lines[1:4]] == [0, 1, 2]


def test_the_runs_own_manifest_is_the_sinks(stage: Stage) -> None:
    summary = stage.run()
    assert Path(summary.manifest).read_bytes() == (stage.out / "manifest.jsonl").read_bytes()


def test_a_deleted_output_is_delivered_again_without_a_call(stage: Stage) -> None:
    stage.recipe([0, 1])
    stage.run()
    (stage.out / "a-1-0.png").unlink()
    summary = stage.run()
    assert (summary.exit, summary.counts.delivered, len(stage.provider.submits)) == (0, 1, 2)
    assert stage.images() == ["a-0-0.png", "a-1-0.png"]


def test_an_edited_output_is_kept_and_told_once_until_overwritten(stage: Stage) -> None:
    stage.recipe([0, 1])
    stage.run()
    mine = stage.out / "a-1-0.png"
    mine.write_bytes(b"my own work")
    summary = stage.run()
    assert mine.read_bytes() == b"my own work"
    assert (summary.exit, summary.counts.kept_edits) == (Exit.JOBS_FAILED, 1)
    assert any("--overwrite" in issue.message for issue in summary.issues)
    assert stage.run(overwrite=True).exit == 0
    assert mine.read_bytes() != b"my own work"
    assert len(stage.provider.submits) == 2


def test_a_foreign_file_in_the_way_of_a_new_image_is_counted_once(stage: Stage) -> None:
    stage.out.mkdir()
    (stage.out / "a-0-0.png").write_bytes(b"somebody's")
    summary = stage.run()
    assert (summary.counts.kept_edits, summary.exit) == (1, Exit.JOBS_FAILED)
    assert (stage.out / "a-0-0.png").read_bytes() == b"somebody's"


@pytest.mark.parametrize("error", [SinkFailed("full"), OSError(28, "full"), ZeroDivisionError("x")])
def test_a_sink_that_fails_costs_no_call_and_no_other_sink(
    stage: Stage, moody: Moody, error: Exception
) -> None:
    stage.recipe([0, 1, 2], sinks=[MOODY, DIRECTORY])
    moody.issue = lambda path: error
    summary = stage.run()
    assert len(stage.images()) == 3
    assert (summary.counts.made, summary.exit) == (3, Exit.JOBS_FAILED)
    (issue,) = summary.issues
    assert "mem://moody: not delivered" in issue.message
    assert issue.count == 3
    assert stage.states() == [State.STORED] * 3
    moody.issue = lambda path: None
    summary = stage.run()
    assert (summary.exit, summary.counts.delivered, len(moody.files)) == (0, 3, 3)
    assert stage.states() == [State.DONE] * 3
    assert len(stage.provider.submits) == 3


def test_a_sink_that_recovers_within_the_run_is_no_trouble(stage: Stage, moody: Moody) -> None:
    stage.recipe([0], sinks=[MOODY])
    moody.issue = lambda path: SinkFailed("busy") if moody.writes == 1 else None
    summary = stage.run()
    assert (summary.exit, summary.issues) == (0, ())
    assert stage.states() == [State.DONE]


def test_a_sheet_is_made_again_only_when_a_result_or_an_option_changes(stage: Stage) -> None:
    stage.image("b.png")
    stage.recipe([0, 1], sinks=[SHEETS])
    stage.run()
    sheets = stage.folder / "sheets"
    first = tree(sheets)
    stage.recipe([0, 1, 2], sinks=[SHEETS])
    stage.run()
    second = tree(sheets)
    assert {name: facts[0] for name, facts in second.items()} != {
        name: facts[0] for name, facts in first.items()
    }
    (stage.folder / "in/b.png").unlink()  # its sheet stays, and must not keep the others busy
    stage.run()
    third = tree(sheets)
    stage.run()
    assert tree(sheets) == third


def test_a_sheet_somebody_painted_on_is_kept(stage: Stage) -> None:
    stage.recipe([0, 1], sinks=[SHEETS])
    stage.run()
    (sheet,) = (stage.folder / "sheets").glob("*.*g")
    sheet.write_bytes(png("painted"))
    assert stage.run().exit == Exit.JOBS_FAILED
    assert sheet.read_bytes() == png("painted")
    assert stage.run(overwrite=True).exit == 0
    assert sheet.read_bytes() != png("painted")


ONE_PLACE = {"type": "directory", "path": "out/", "name": "{shade}.{ext}"}


def test_two_images_for_one_place_are_refused_before_anything_is_sent(stage: Stage) -> None:
    stage.image("b.png")
    stage.recipe([0], sinks=[ONE_PLACE])
    with pytest.raises(InvalidRecipe, match=r"is the name of both 'in/a\.png'"):
        stage.run()
    assert stage.provider.submits == []


def test_twins_that_share_a_place_are_one_file_which_stays_untouched(stage: Stage) -> None:
    stage.image("b.png", seed="a.png")
    stage.recipe([0], sinks=[ONE_PLACE])
    assert stage.run().exit == 0
    before = tree(stage.out)
    assert stage.run().exit == 0
    assert tree(stage.out) == before
