from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.images import probe
from relightflow.plugins.sink import SinkFailed
from relightflow.sinks.zip import archive
from tests.sinks.samples import of, sample, sink


def opened(folder: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(folder / "recipe/out/sample.zip")


def test_it_holds_the_images_in_plan_order_and_the_manifest(tmp_path: Path) -> None:
    run = sample(tmp_path)
    sink("zip", tmp_path).finalize(run)
    with opened(tmp_path) as packed:
        assert packed.testzip() is None
        *images, manifest = packed.namelist()
        done = [(output, result) for output, result in run.outputs() if result]
        assert images == [f"{output.job.id}.png" for output, _ in done]
        assert [packed.read(path) for path in images] == [run.read(r) for _, r in done]
        records = [json.loads(line) for line in packed.read(manifest).splitlines()]
    assert [record.get("path") for record in records] == [None, *images, None]


def test_nothing_in_it_says_when_it_was_made(tmp_path: Path) -> None:
    sink("zip", tmp_path).finalize(sample(tmp_path))
    with opened(tmp_path) as packed:
        for info in packed.infolist():
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.external_attr >> 16 == 0o100644
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.create_system == 3
            assert not info.flag_bits & 8, "sizes stand before the data, for readers of streams"


def test_a_job_that_is_wanted_twice_is_packed_once(tmp_path: Path) -> None:
    run = sample(tmp_path)
    output, result = next(run.outputs())
    sink("zip", tmp_path).finalize(of(run, [(output, result), (replace(output, index=1), result)]))
    with opened(tmp_path) as packed:
        assert packed.namelist() == [f"{output.job.id}.png", "manifest.jsonl"]
        lines = packed.read("manifest.jsonl").splitlines()
    assert [json.loads(line).get("path") for line in lines[1:3]] == [f"{output.job.id}.png"] * 2
    assert json.loads(lines[3])["record"] == "rejected"


def test_copies_are_packed_and_told(tmp_path: Path) -> None:
    run = replace(sample(tmp_path), path=lambda output, _: f"{output.index}.webp")
    sink("zip", tmp_path, format="webp").finalize(run)
    with opened(tmp_path) as packed:
        data = packed.read("0.webp")
        record = json.loads(packed.read("manifest.jsonl").splitlines()[1])
    assert probe(data).media_type == record["delivered"]["media_type"] == "image/webp"


def test_pieces_make_a_sound_file(tmp_path: Path) -> None:
    entries = [(f"{n}.bin", bytes([n]) * n * 1000) for n in range(50)]
    pieces = list(archive(iter(entries)))
    assert max(map(len, pieces)) < 55_000, "no more than one entry is held"
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as packed:
        assert packed.testzip() is None
        assert [(name, packed.read(name)) for name in packed.namelist()] == entries


def test_it_takes_no_single_images(tmp_path: Path) -> None:
    with pytest.raises(SinkFailed):
        sink("zip", tmp_path).write("a.png", b"x", "image/png")
