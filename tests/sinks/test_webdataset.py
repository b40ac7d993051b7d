from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.images import probe
from relightflow.model.job import Output
from relightflow.plugins.sink import SinkFailed
from tests.sinks.samples import of, sample, sink


def shards(folder: Path) -> list[Path]:
    return sorted((folder / "recipe/out").glob("*.tar"))


def members(shard: Path) -> dict[str, bytes]:
    with tarfile.open(shard) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]  # all are files


def keys(shard: Path) -> list[str]:
    return list(dict.fromkeys(name.split(".")[0] for name in members(shard)))


def test_a_sample_is_the_image_its_source_and_what_is_known(tmp_path: Path) -> None:
    run = sample(tmp_path)
    sink("webdataset", tmp_path).finalize(run)
    (shard,) = shards(tmp_path)
    output, result = next(run.outputs())
    assert result
    found = members(shard)
    assert list(found)[:3] == [
        f"{output.job.id}.output.png",
        f"{output.job.id}.source.png",
        f"{output.job.id}.json",
    ]
    assert found[f"{output.job.id}.output.png"] == run.read(result)
    assert found[f"{output.job.id}.source.png"] == run.original(output)
    facts = json.loads(found[f"{output.job.id}.json"])
    assert facts["caption"] == "light direction: left, light type: softbox"
    assert facts["status"] == "done"


def test_what_has_no_image_is_no_sample(tmp_path: Path) -> None:
    sink("webdataset", tmp_path).finalize(sample(tmp_path))
    assert len(keys(shards(tmp_path)[0])) == 3


def test_nothing_in_a_shard_says_when_or_by_whom_it_was_made(tmp_path: Path) -> None:
    sink("webdataset", tmp_path).finalize(sample(tmp_path))
    with tarfile.open(shards(tmp_path)[0]) as tar:
        for info in tar:
            facts = (info.mtime, info.uid, info.gid, info.uname, info.gname, info.mode)
            assert facts == (0, 0, 0, "", "", 0o644)
    data = shards(tmp_path)[0].read_bytes()
    assert data[257:265] == b"ustar\x0000"
    assert len(data) % 10_240 == 0


def test_shards_hold_as_many_samples_as_is_said(tmp_path: Path) -> None:
    artifacts = sink("webdataset", tmp_path, samples=2, prefix="train").finalize(sample(tmp_path))
    assert [path.name for path in shards(tmp_path)] == ["train-000000.tar", "train-000001.tar"]
    assert [len(keys(path)) for path in shards(tmp_path)] == [2, 1]
    assert [artifact.path for artifact in artifacts] == [
        "train-000000.tar",
        "train-000001.tar",
        "manifest.jsonl",
        "README.md",
    ]


def test_shards_are_no_larger_than_is_said(tmp_path: Path) -> None:
    run = sample(tmp_path)
    sink("webdataset", tmp_path, prefix="all").finalize(run)
    one = sum(512 + len(data) + -len(data) % 512 for data in members(shards(tmp_path)[0]).values())
    sink("webdataset", tmp_path, prefix="cut", bytes=one - 1).finalize(run)
    assert [len(keys(path)) for path in shards(tmp_path)] == [3, 2, 1]


def test_a_sample_larger_than_a_shard_has_one_of_its_own(tmp_path: Path) -> None:
    sink("webdataset", tmp_path, bytes=1).finalize(sample(tmp_path))
    assert [len(keys(path)) for path in shards(tmp_path)] == [1, 1, 1]


def test_a_job_that_is_wanted_twice_is_two_samples(tmp_path: Path) -> None:
    run = sample(tmp_path)
    output, result = next(run.outputs())
    twice = of(run, [(output, result), (replace(output, index=7), result)])
    sink("webdataset", tmp_path).finalize(twice)
    assert keys(shards(tmp_path)[0]) == [output.job.id, f"{output.job.id}-7"]


def test_shards_that_are_no_longer_needed_go_if_nobody_changed_them(tmp_path: Path) -> None:
    run, out = sample(tmp_path), sink("webdataset", tmp_path, samples=1)
    made = tuple(artifact.path for artifact in out.finalize(run))
    (tmp_path / "recipe/out/sample-000009.tar").write_bytes(b"somebody's own")
    few = of(run, list(run.outputs())[:1])
    out.finalize(replace(few, held=made))
    assert [path.name for path in shards(tmp_path)] == ["sample-000000.tar", "sample-000009.tar"]


def test_sources_can_be_left_out_and_are_then_not_read(tmp_path: Path) -> None:
    def original(_: Output) -> bytes:
        raise AssertionError("it was read")

    run = replace(sample(tmp_path), original=original)
    sink("webdataset", tmp_path, sources=False).finalize(run)
    assert not any(".source." in name for name in members(shards(tmp_path)[0]))


def test_a_copy_in_another_format_is_told_in_its_sample(tmp_path: Path) -> None:
    sink("webdataset", tmp_path, format="webp").finalize(sample(tmp_path))
    found = members(shards(tmp_path)[0])
    name, data = next((n, d) for n, d in found.items() if n.endswith(".output.webp"))
    assert probe(data).media_type == "image/webp"
    facts = json.loads(found[f"{name.split('.')[0]}.json"])
    assert facts["delivered"] == {
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "media_type": "image/webp",
    }


def test_nothing_says_where_another_sink_put_an_image(tmp_path: Path) -> None:
    run = sample(tmp_path)
    sink("webdataset", tmp_path).finalize(of(run, list(run.outputs()), path="a/b.png"))
    assert all(b"a/b.png" not in data for data in members(shards(tmp_path)[0]).values())
    assert b"a/b.png" not in (tmp_path / "recipe/out/manifest.jsonl").read_bytes()


def test_a_shard_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    run, out = sample(tmp_path), sink("webdataset", tmp_path)
    out.finalize(run)
    before = shards(tmp_path)[0].read_bytes()

    def read(_: object) -> bytes:
        raise SinkFailed("no more")

    with pytest.raises(SinkFailed):
        out.finalize(replace(run, read=read))
    assert [path.read_bytes() for path in shards(tmp_path)] == [before]


def test_it_takes_no_single_images(tmp_path: Path) -> None:
    with pytest.raises(SinkFailed):
        sink("webdataset", tmp_path).write("a.png", b"x", "image/png")
