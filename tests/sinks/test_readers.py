"""The libraries that people train with read what we write: `webdataset` and `datasets`."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from relightflow.images import decode
from tests.conftest import Stage

FORMS = [
    {"type": "webdataset", "path": "tars/", "samples": 2},
    {
        "type": "imagefolder",
        "path": "files/",
        "sources": True,
        "name": "{image.stem}/{shade}.{ext}",
    },
]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A run of two images in two shades. One is called `test`, a word that `datasets` takes for the
    name of a split."""
    made = Stage(tmp_path_factory.mktemp("stage"))
    made.image("test.png")
    made.recipe([0, 1], sinks=FORMS)
    assert made.run().exit == 0
    return made


@pytest.fixture(scope="module")
def found(stage: Stage) -> dict[str, Any]:
    offline = {"HF_HOME": str(stage.folder / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("reading.py"), "tars", "files"],
        cwd=stage.folder, env={**os.environ, **offline}, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def records(stage: Stage) -> list[dict[str, Any]]:
    lines = (stage.folder / "files/manifest.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines[1:]]


def pixels(path: Path) -> str:
    return hashlib.sha256(decode(path.read_bytes()).tobytes()).hexdigest()


def test_webdataset_finds_every_sample_in_plan_order(
    found: dict[str, Any], records: list[dict[str, Any]]
) -> None:
    assert [sample["key"] for sample in found["shards"]] == [record["job"] for record in records]
    for sample, record in zip(found["shards"], records, strict=True):
        assert sample["fields"] == ["json", "output.png", "source.png"]
        assert sample["output"] == record["sha256"]
        assert sample["source"] == record["source"]["sha256"]
        assert sample["facts"]["parameters"] == record["parameters"]


def test_webdataset_decodes_the_images(found: dict[str, Any]) -> None:
    assert all(sample["pixels"] == sample["same"] for sample in found["shards"])


def test_datasets_reads_the_shards_too(
    found: dict[str, Any], records: list[dict[str, Any]]
) -> None:
    assert found["packed"] == [record["job"] for record in records]


def test_datasets_finds_every_image_with_its_source_and_light(
    found: dict[str, Any], stage: Stage, records: list[dict[str, Any]]
) -> None:
    rows = {row["index"]: row for row in found["folder"]["rows"]}
    assert sorted(rows) == [0, 1, 2, 3]
    for record in records:
        row = rows[record["index"]]
        assert row["shade"] == record["parameters"]["shade"]
        assert row["job"] == record["job"]
        assert row["image"] == pixels(stage.folder / "files" / record["path"])
        assert row["source"] == pixels(stage.folder / row["source_name"])


def test_datasets_finds_no_columns_but_ours(found: dict[str, Any]) -> None:
    assert set(found["folder"]["columns"]) == {
        "image", "source", "source_name", "caption", "shade", "repeat", "job", "index",
    }  # fmt: skip
