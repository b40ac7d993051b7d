"""Whole runs from a bucket to a bucket, on real servers: Swift, and Azurite for one of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relightflow.errors import Exit
from relightflow.objects.bucket import Bucket, opened
from relightflow.testing import sample_image_bytes
from tests.conftest import Stage
from tests.scripted_backend import png

RECIPE = """\
version: 1
name: buckets
sources: [{{type: s3, uri: "s3://{bucket}/in/", include: ["**/*.png"]}}]
backend: {{type: preview}}
matrix: {{light_direction: left}}
sinks: [{{type: s3, uri: "s3://{bucket}/out/", name: "{{image.stem}}-{{light_direction}}.{{ext}}"}}]
"""


@pytest.fixture
def filled(s3: str, stage: Stage) -> Bucket:
    """Six images in a bucket and a recipe that makes new ones in it."""
    bucket = opened(f"s3://{s3}/")
    for number in range(6):
        bucket.put(f"in/{number}.png", sample_image_bytes(number))
    recipe = (
        RECIPE.format(bucket=s3).replace("preview", "studio").replace("light_direction", "shade")
    )
    stage.path.write_text(recipe.replace(": left", ": 0").replace("{shade}", "left"))
    return bucket


@pytest.mark.parametrize("scheme", ["s3", "az"])
def test_48_images_go_from_bucket_to_bucket_and_the_second_run_reads_and_writes_none(
    stage: Stage, scheme: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = request.getfixturevalue({"s3": "s3", "az": "azure"}[scheme])
    bucket = opened(f"{scheme}://{name}/")
    for number in range(48):
        bucket.put(f"in/{number}.png", png(f"{number}"))
    stage.path.write_text(RECIPE.format(bucket=name).replace("s3://", f"{scheme}://"))
    assert stage.run().exit is Exit.OK
    first = {f.path: (f.etag, f.modified) for f in bucket.list("out")}
    assert len(first) == 49
    rows = [json.loads(line) for line in bucket.get("out/manifest.jsonl").splitlines()]
    assert [row["path"] for row in rows[1:]] == [f"{n}-left.png" for n in range(48)]

    def refuse(*_: object, **__: object) -> bytes:
        raise AssertionError("an object was read or written")

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "get", refuse)
        patch.setattr(Bucket, "put", refuse)
        summary = stage.run()
    assert (summary.exit, summary.counts.reused) == (Exit.OK, 48)
    assert {f.path: (f.etag, f.modified) for f in bucket.list("out")} == first


def test_a_machine_with_an_empty_disk_delivers_nothing_twice(
    stage: Stage, filled: Bucket, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stage.run()
    first = {f.path: (f.etag, f.modified) for f in filled.list("out")}
    other = Stage(tmp_path_factory.mktemp("other"))
    other.path.write_bytes(stage.path.read_bytes())
    assert other.run(buy_again=True).exit is Exit.OK
    now = {f.path: (f.etag, f.modified) for f in filled.list("out")}
    for found in (now, first):
        del found["out/manifest.jsonl"]  # names the requests, which were made anew
    assert now == first


def test_a_deleted_object_is_put_again_and_an_edited_one_is_kept(
    stage: Stage, filled: Bucket
) -> None:
    stage.run()
    filled.delete(["out/0-left.png"])
    filled.put("out/1-left.png", b"somebody's work")
    summary = stage.run()
    assert summary.counts.delivered == 1
    assert summary.counts.kept_edits == 1
    assert filled.head("out/0-left.png")
    assert filled.get("out/1-left.png") == b"somebody's work"


def test_a_bucket_that_fails_blocks_no_other_sink_and_is_filled_by_the_next_run(
    stage: Stage, s3: str, swift: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.recipe(
        shades=[0, 1],
        sinks=[
            {"type": "s3", "uri": f"s3://{s3}/out/", "name": "{shade}.{ext}"},
            {"type": "directory", "path": "out/", "name": "{shade}.{ext}"},
        ],
    )
    with monkeypatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        summary = stage.run()
    assert summary.exit is Exit.JOBS_FAILED
    assert sorted(path.name for path in Path(stage.out).iterdir()) == [
        "0.png",
        "1.png",
        "manifest.jsonl",
    ]
    calls = len(stage.provider.bill)
    assert stage.run().exit is Exit.OK
    assert len(stage.provider.bill) == calls
    names = sorted(facts.path for facts in opened(f"s3://{s3}/out/").list())
    assert names == ["0.png", "1.png", "manifest.jsonl"]
