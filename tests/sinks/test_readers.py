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
from PIL import Image

from relightflow.images import decode
from relightflow.testing.samples import sample_image_bytes
from tests.cli.program import environment
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


MIXED = """\
version: 1
name: mixed
sources: [{type: glob, include: ["*.jpg", "*.png", "*.webp"]}]
matrix:
  light_direction: [left]
  include: [{light_direction: top, light_temperature: warm}]
sinks:
  - {type: webdataset, path: tars/, samples: 2}
  - {type: imagefolder, path: files/, sources: true}
"""
PROGRAM = """\
import json, sys, webdataset
from datasets import load_dataset
rows = list(load_dataset("tars", split="train"))
shards = webdataset.WebDataset(sorted(sys.argv[1:]), shardshuffle=False).decode("pil")
files = list(load_dataset("files", split="train"))
print(json.dumps({
    "fields": sorted(rows[0]),
    "sizes": [[row["output.png"].size, row["source.png"].size] for row in rows],
    "facts": [row["json"] for row in rows],
    "decoded": [[s["output.png"].size, s["source.png"].size] for s in shards],
    "files": [[row["image"].size, row["source"].size] for row in files],
}))
"""


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the readers find in data sets of a photograph that lies on its side, a PNG and a WebP."""
    folder = tmp_path_factory.mktemp("mixed")
    (folder / "r.yaml").write_text(MIXED)
    image = decode(sample_image_bytes())  # 48 × 32
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(image).save(folder / "a.jpg", exif=turned)
    Image.fromarray(image).save(folder / "b.png")
    Image.fromarray(image).save(folder / "c.webp")
    program = [sys.executable, "-m", "relightflow", "run", "r.yaml"]
    made = subprocess.run(program, cwd=folder, capture_output=True, text=True, env=environment())
    assert made.returncode == 0, made.stderr
    offline = {"HF_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, folder.glob("tars/*.tar"))],
        cwd=folder, env={**os.environ, **offline}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_samples_of_mixed_images_have_the_same_members(mixed: dict[str, Any]) -> None:
    assert mixed["fields"] == ["__key__", "__url__", "json", "output.png", "source.png"]
    assert len(mixed["facts"]) == 6
    assert [fact["source"]["name"] for fact in mixed["facts"]] == [
        "a.jpg", "a.jpg", "b.png", "b.png", "c.webp", "c.webp",
    ]  # fmt: skip
    assert [fact["cell"]["light_temperature"] for fact in mixed["facts"]] == ["", "warm"] * 3
    assert {fact["delivered"]["media_type"] for fact in mixed["facts"]} == {"image/png"}
    assert {fact["media_type"] for fact in mixed["facts"]} == {
        "image/jpeg", "image/png", "image/webp",
    }  # fmt: skip


def test_a_source_is_as_upright_as_its_results(mixed: dict[str, Any]) -> None:
    for sizes in (mixed["sizes"], mixed["decoded"], mixed["files"]):
        assert sizes[:2] == [[[32, 48], [32, 48]]] * 2
        assert sizes[2:] == [[[48, 32], [48, 32]]] * 4
