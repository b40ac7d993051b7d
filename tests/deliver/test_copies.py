"""Copies in another format, from the recipe to the file: made once, ours until somebody edits."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from typing import Any

import jsonschema
import pytest

from relightflow.errors import Exit, InvalidRecipe
from relightflow.images import probe
from relightflow.images.derive import derive
from relightflow.model.output_format import OutputFormat
from relightflow.recipe import published
from tests.conftest import DIRECTORY, Stage


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[OutputFormat]:
    """The form of every copy that is made."""
    seen: list[OutputFormat] = []

    def spy(data: bytes, media_type: str, form: OutputFormat) -> bytes:
        seen.append(form)
        return derive(data, media_type, form)

    monkeypatch.setattr("relightflow.deliver.target.derive", spy)
    return seen


def asking(stage: Stage, form: Any, **sink: Any) -> None:
    stage.recipe([0, 1], sinks=[{**DIRECTORY, "format": form, **sink}])


def outputs(stage: Stage) -> list[dict[str, Any]]:
    lines = (stage.out / "manifest.jsonl").read_text().splitlines()
    records = map(json.loads, lines)
    return [record for record in records if record["record"] == "output"]


def test_a_copy_is_delivered_and_the_original_stays_in_the_store(stage: Stage) -> None:
    asking(stage, "webp")
    assert stage.run().exit is Exit.OK
    files = sorted(path.name for path in stage.out.glob("*.webp"))
    assert files == ["a-0-0.webp", "a-1-0.webp"]
    for path, record in zip(files, outputs(stage), strict=True):
        assert probe((stage.out / path).read_bytes()).media_type == "image/webp"
        blob = stage.state_dir.blobs / record["sha256"][:2] / record["sha256"]
        assert probe(blob.read_bytes()).media_type == "image/png"


def test_the_manifest_tells_both_the_image_and_its_copy(stage: Stage) -> None:
    asking(stage, "webp")
    stage.run()
    schema = jsonschema.Draft7Validator(published("manifest-record"))
    for record in outputs(stage):
        data = (stage.out / record["path"]).read_bytes()
        assert record["path"].endswith(".webp")
        assert record["media_type"] == "image/png"
        assert record["delivered"] == {
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "media_type": "image/webp",
        }
        assert schema.is_valid(record)


def test_the_manifest_tells_no_copy_where_there_is_none(stage: Stage) -> None:
    asking(stage, "png")
    stage.run()
    assert not any("delivered" in record for record in outputs(stage))


def test_a_second_run_makes_no_copy_and_the_same_manifest(
    stage: Stage, made: list[OutputFormat]
) -> None:
    asking(stage, "webp")
    stage.run()
    assert len(made) == 2
    before = (stage.out / "manifest.jsonl").read_bytes()
    summary = stage.run()
    assert (len(made), summary.counts.delivered) == (2, 0)
    assert (stage.out / "manifest.jsonl").read_bytes() == before


def test_another_quality_makes_the_copy_anew_and_buys_nothing(
    stage: Stage, made: list[OutputFormat]
) -> None:
    asking(stage, {"type": "jpeg", "quality": 20})
    stage.run()
    before = (stage.out / "a-0-0.jpg").read_bytes()
    asking(stage, {"type": "jpeg", "quality": 95})
    assert stage.run().counts.delivered == 2
    assert [form.quality for form in made] == [20, 20, 95, 95]
    assert (stage.out / "a-0-0.jpg").read_bytes() != before
    assert len(stage.provider.bill) == 2


def test_a_copy_that_was_deleted_is_delivered_again_byte_for_byte(stage: Stage) -> None:
    asking(stage, "webp")
    stage.run()
    path = stage.out / "a-0-0.webp"
    before = path.read_bytes()
    path.unlink()
    assert stage.run().counts.delivered == 1
    assert path.read_bytes() == before


def test_an_edited_copy_is_kept_and_told(stage: Stage) -> None:
    asking(stage, "webp")
    stage.run()
    manifest = (stage.out / "manifest.jsonl").read_bytes()
    (stage.out / "a-0-0.webp").write_bytes(b"my own work")
    summary = stage.run()
    assert summary.counts.kept_edits == 1
    assert "written by a run with another state" in summary.issues[0].message
    assert (stage.out / "a-0-0.webp").read_bytes() == b"my own work"
    assert (stage.out / "manifest.jsonl").read_bytes() == manifest


def test_an_edited_copy_is_kept_when_the_options_change_too(stage: Stage) -> None:
    asking(stage, {"type": "jpeg", "quality": 20})
    stage.run()
    (stage.out / "a-0-0.jpg").write_bytes(b"my own work")
    asking(stage, {"type": "jpeg", "quality": 95})
    assert stage.run().counts.kept_edits == 1
    assert (stage.out / "a-0-0.jpg").read_bytes() == b"my own work"


def test_overwrite_replaces_an_edited_copy(stage: Stage) -> None:
    asking(stage, "webp")
    stage.run()
    before = (stage.out / "a-0-0.webp").read_bytes()
    (stage.out / "a-0-0.webp").write_bytes(b"my own work")
    stage.run(overwrite=True)
    assert (stage.out / "a-0-0.webp").read_bytes() == before


def test_a_copy_that_the_ledger_forgot_is_recognised_by_its_bytes(stage: Stage) -> None:
    asking(stage, "webp")
    stage.run()
    before = (stage.out / "a-0-0.webp").read_bytes()
    with closing(sqlite3.connect(stage.state_dir.ledger)) as ledger, ledger:
        ledger.execute("DELETE FROM delivery")
    summary = stage.run()
    assert (summary.counts.delivered, summary.counts.kept_edits) == (0, 0)
    assert (stage.out / "a-0-0.webp").read_bytes() == before


def test_a_quality_for_a_png_is_told_with_its_place(stage: Stage) -> None:
    asking(stage, {"type": "png", "quality": 80})
    with pytest.raises(InvalidRecipe, match="PNG is lossless"):
        stage.plan()
