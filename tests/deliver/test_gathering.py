"""Sinks that gather, in whole runs: made once, kept where somebody edited, never a reason to buy."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import Exit, InvalidRecipe
from relightflow.ledger.reader import open_reader
from relightflow.model.step import Completed, Step
from relightflow.plugins.backend import Call
from relightflow.plugins.sink import SinkFailed
from relightflow.sinks import webdataset
from tests.conftest import DIRECTORY, Stage
from tests.scripted_backend import png

TARS = {"type": "webdataset", "path": "tars/", "samples": 1}
FILES = {"type": "imagefolder", "path": "files/", "sources": True}
ZIP = {"type": "zip", "path": "zip/", "name": "{image.stem}/{shade}.{ext}"}
CSV = {"type": "csv", "path": "csv/"}
EVERY: list[dict[str, Any]] = [DIRECTORY, TARS, FILES, ZIP, CSV]


def contents(stage: Stage) -> dict[str, bytes]:
    """Every file of the gathering sinks."""
    targets = (stage.folder / name for name in ("tars", "files", "zip", "csv"))
    paths = [path for target in targets for path in target.rglob("*") if path.is_file()]
    return {str(path.relative_to(stage.folder)): path.read_bytes() for path in paths}


def shards(stage: Stage) -> list[str]:
    return sorted(path.name for path in (stage.folder / "tars").glob("*.tar"))


def test_a_second_run_touches_no_file(stage: Stage) -> None:
    stage.recipe([0, 1], sinks=EVERY)
    assert stage.run().exit is Exit.OK
    marks = {path: (stage.folder / path).stat() for path in contents(stage)}
    assert stage.run().exit is Exit.OK
    assert {path: (stage.folder / path).stat() for path in contents(stage)} == marks


def test_the_same_run_elsewhere_gives_the_same_bytes(stage: Stage, tmp_path: Path) -> None:
    def paint(call: Call, _: int) -> Step:
        return Completed(png(call.job.key), 0)  # the studio's own request ids are never the same

    (tmp_path / "other").mkdir()
    other = Stage(tmp_path / "other")
    for one in (stage, other):
        one.provider.on_submit = paint
        one.recipe([0, 1], sinks=EVERY)
        assert one.run().exit is Exit.OK
    assert len(contents(stage)) == 12
    assert contents(stage) == contents(other)


def test_what_was_deleted_is_made_again_byte_for_byte(stage: Stage) -> None:
    stage.recipe([0, 1], sinks=EVERY)
    stage.run()
    before = contents(stage)
    for path in before:
        (stage.folder / path).unlink()
    assert stage.run().exit is Exit.OK
    assert contents(stage) == before
    assert len(stage.provider.bill) == 2


def test_a_smaller_run_takes_its_old_shards_away_and_forgets_them(stage: Stage) -> None:
    stage.recipe([0, 1, 2], sinks=[TARS])
    stage.run()
    assert len(shards(stage)) == 3
    stage.recipe([0], sinks=[TARS])
    stage.run()
    assert shards(stage) == ["demo-000000.tar"]
    with open_reader(stage.state_dir.ledger) as reader:
        known = [row.path for row in reader.gathered(f"webdataset:{stage.folder / 'tars'}")]
    assert known == ["README.md", "demo-000000.tar", "manifest.jsonl"]


def test_a_shard_that_somebody_edited_is_kept_and_told(stage: Stage) -> None:
    stage.recipe([0, 1, 2], sinks=[TARS])
    stage.run()
    mine = stage.folder / "tars/demo-000002.tar"
    mine.write_bytes(b"my own work")
    stage.recipe([0], sinks=[TARS])
    assert stage.run().counts.kept_edits == 1
    assert len(shards(stage)) == 3
    stage.run(overwrite=True)
    assert shards(stage) == ["demo-000000.tar", "demo-000002.tar"]
    assert mine.read_bytes() == b"my own work"


def test_edited_captions_are_kept_and_told_until_overwritten(stage: Stage) -> None:
    stage.recipe([0], sinks=[FILES])
    stage.run()
    metadata = stage.folder / "files/metadata.jsonl"
    before = metadata.read_bytes()
    metadata.write_bytes(b'{"caption": "my own"}\n')
    assert stage.run().counts.kept_edits == 1
    assert stage.run().counts.kept_edits == 1
    assert metadata.read_bytes() == b'{"caption": "my own"}\n'
    assert stage.run(overwrite=True).counts.kept_edits == 0
    assert metadata.read_bytes() == before


def test_a_sink_that_fails_buys_nothing_holds_nobody_up_and_is_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.recipe([0, 1], sinks=EVERY)

    def broken(_: Any) -> Any:
        raise SinkFailed("the shelf is full")

    with monkeypatch.context() as patch:
        patch.setattr(webdataset, "archive", broken)
        summary = stage.run()
    assert summary.exit is Exit.JOBS_FAILED
    assert any("the shelf is full" in issue.message for issue in summary.issues)
    assert not shards(stage)
    assert {path.split("/")[0] for path in contents(stage)} == {"files", "zip", "csv"}
    assert stage.run().exit is Exit.OK
    assert len(shards(stage)) == 2
    assert len(stage.provider.bill) == 2


@pytest.mark.parametrize("kind", ["tars", "files", "zip", "csv"])
def test_a_file_in_the_way_costs_one_sink_only(stage: Stage, kind: str) -> None:
    (stage.folder / kind).write_text("a file where a folder should be")
    stage.recipe([0], sinks=EVERY)
    assert stage.run().exit is Exit.JOBS_FAILED
    assert len(stage.provider.bill) == 1
    assert len(stage.images()) == 1
    (stage.folder / kind).unlink()
    assert stage.run().exit is Exit.OK
    assert len(stage.provider.bill) == 1


def test_a_broken_input_beside_good_ones_stops_no_sink(stage: Stage) -> None:
    (stage.folder / "in/broken.png").write_bytes(b"no image")
    sheet = {"type": "contact-sheet", "path": "sheets/"}
    stage.recipe([0], sinks=[*EVERY, sheet])
    stage.run()
    assert {path.split("/")[0] for path in contents(stage)} == {"tars", "files", "zip", "csv"}
    assert len(list((stage.folder / "sheets").iterdir())) == 1


def test_names_in_a_zip_come_from_the_recipe(stage: Stage) -> None:
    stage.recipe([0, 1], sinks=[ZIP])
    stage.run()
    with zipfile.ZipFile(stage.folder / "zip/demo.zip") as packed:
        assert packed.namelist() == ["a/0.png", "a/1.png", "manifest.jsonl"]
        lines = packed.read("manifest.jsonl").splitlines()
    assert [json.loads(line).get("path") for line in lines] == [None, "a/0.png", "a/1.png"]


def test_names_that_collide_in_a_zip_are_an_error_of_the_recipe(stage: Stage) -> None:
    stage.recipe([0, 1], sinks=[{**ZIP, "name": "{image.stem}.{ext}"}])
    with pytest.raises(InvalidRecipe, match=r"'a\.png' is the name of both"):
        stage.plan()


def test_samples_and_bytes_together_are_an_error_of_the_recipe(stage: Stage) -> None:
    stage.recipe([0], sinks=[{**TARS, "bytes": 1000}])
    with pytest.raises(InvalidRecipe, match="either `samples` or `bytes`"):
        stage.plan()


def test_two_sinks_of_one_kind_need_two_folders(stage: Stage) -> None:
    stage.recipe([0], sinks=[TARS, {**TARS, "prefix": "b"}])
    with pytest.raises(InvalidRecipe, match=r"same place as sinks\[0\]"):
        stage.run()
    assert not stage.provider.bill
