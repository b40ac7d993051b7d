"""Against a real S3 server."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from relightflow.errors import RefusedError
from relightflow.model.values import FrozenMap
from relightflow.objects import bucket as buckets
from relightflow.objects.bucket import Bucket, opened
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import MANIFEST, FileState, SinkFailed, WriteReceipt
from relightflow.sinks import s3 as sinks
from relightflow.sinks.s3 import ENOUGH, S3Sink
from relightflow.testing.samples import SampleRun


def _sink(bucket: str) -> S3Sink:
    return S3Sink(SinkContext(Path("/"), FrozenMap({"uri": f"s3://{bucket}/out/"}), "demo"))


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of a store from now on, beside puts."""
    seen: list[str] = []
    for name in ("list", "get", "head"):
        real = getattr(Bucket, name)

        def spied(self: Bucket, *args: object, _real: object = real, _name: str = name) -> object:
            seen.append(_name)
            return _real(self, *args)  # type: ignore[operator]  # a method of Bucket

        monkeypatch.setattr(Bucket, name, spied)
    return seen


def test_an_object_has_its_media_type_and_its_hash(s3: str) -> None:
    _sink(s3).write("a/b.png", b"bytes", "image/png")
    bucket = opened(f"s3://{s3}/out/")
    head = bucket.head("a/b.png")
    assert head
    assert head.sha256 == _sha(b"bytes")
    import obstore

    found = obstore.get(bucket._store, "out/a/b.png")
    assert found.attributes["Content-Type"] == "image/png"


def test_a_thousand_looks_are_one_listing(s3: str, asked: list[str]) -> None:
    sink = _sink(s3)
    receipt = sink.write("a.png", b"1", "image/png")
    again = _sink(s3)
    assert {again.check("a.png", receipt, receipt.sha256) for _ in range(500)} == {FileState.SAME}
    assert {again.check(f"{n}.png", None, "x") for n in range(500)} == {FileState.MISSING}
    assert asked == ["list"]


def test_without_a_stamp_the_metadata_is_asked_and_no_byte_read(s3: str, asked: list[str]) -> None:
    receipt = _sink(s3).write("a.png", b"1", "image/png")
    assert _sink(s3).check("a.png", None, receipt.sha256) is FileState.SAME
    assert asked == ["list", "head"]


def test_what_another_program_put_there_is_read_and_kept(s3: str) -> None:
    opened(f"s3://{s3}/out/").put("a.png", b"somebody's")
    assert _sink(s3).check("a.png", None, _sha(b"somebody's")) is FileState.SAME
    assert _sink(s3).check("a.png", None, _sha(b"ours")) is FileState.EDITED


def test_a_stamp_without_a_mark_has_the_bytes_read(s3: str) -> None:
    opened(f"s3://{s3}/out/").put("a.png", b"damaged", "image/png", _sha(b"ours"))
    receipt = WriteReceipt(_sha(b"ours"), 4, "")
    assert _sink(s3).check("a.png", receipt, _sha(b"ours")) is FileState.EDITED


def test_beyond_the_listing_each_object_is_asked_for(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = _sink(s3)
    stamps = [sink.write(f"{n}.png", b"1", "image/png") for n in range(4)]
    monkeypatch.setattr(sinks, "MOST_LISTED", 2)
    looker = _sink(s3)
    looks = [looker.check(f"{n}.png", receipt, receipt.sha256) for n, receipt in enumerate(stamps)]
    assert looks == [FileState.SAME] * 4
    assert looker.check("9.png", None, "x") is FileState.MISSING


def test_a_path_that_leads_out_is_refused(s3: str) -> None:
    for path in ("../x.png", "/x.png", "a//b.png"):
        with pytest.raises(RefusedError):
            _sink(s3).write(path, b"1", "image/png")


def test_the_manifest_stands_at_the_prefix_and_is_put_once(s3: str, tmp_path: Path) -> None:
    run = SampleRun(tmp_path).finished()
    (first,) = _sink(s3).finalize(run)
    assert opened(f"s3://{s3}/out/").get(MANIFEST) == run.manifest.read_bytes()
    made = next(iter(opened(f"s3://{s3}/out/").list())).modified
    assert _sink(s3).finalize(run) == (first,)
    assert next(iter(opened(f"s3://{s3}/out/").list())).modified == made


def test_somebody_elses_manifest_is_left_alone(s3: str, tmp_path: Path) -> None:
    opened(f"s3://{s3}/out/").put(MANIFEST, b"a dataset's own")
    with pytest.raises(SinkFailed, match="not written by relightflow"):
        _sink(s3).finalize(SampleRun(tmp_path).finished())
    assert opened(f"s3://{s3}/out/").get(MANIFEST) == b"a dataset's own"


def test_a_store_that_is_away_is_asked_a_few_times_only(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "_RETRIES", {"max_retries": 0})
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    sink = _sink(s3)
    puts: list[str] = []
    real = Bucket.put

    def put(self: Bucket, path: str, *args: object) -> str:
        puts.append(path)
        return real(self, path, *args)  # type: ignore[arg-type]  # what write hands over

    monkeypatch.setattr(Bucket, "put", put)
    for number in range(20):
        with pytest.raises(SinkFailed, match="is unavailable") as caught:
            sink.write(f"{number}.png", b"1", "image/png")
        assert ".png" not in str(caught.value), "one trouble is told once"
    assert len(puts) == ENOUGH


def test_many_threads_may_write(s3: str) -> None:
    sink = _sink(s3)
    with ThreadPoolExecutor(sink.width) as pool:
        list(pool.map(lambda n: sink.write(f"{n}.png", b"%d" % n, "image/png"), range(64)))
    assert len(list(opened(f"s3://{s3}/out/").list())) == 64
