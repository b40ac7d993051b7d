"""Against a real S3 server: it checks signatures and expiry."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest

from relightflow.errors import UsageError
from relightflow.objects.bucket import PAGE, opened
from relightflow.objects.faults import ObjectFault, Reason


def test_what_was_put_is_listed_read_and_described(s3: str) -> None:
    bucket = opened(f"s3://{s3}/pre fix/ü/")
    etag = bucket.put("a/x y%20&+.png", b"bytes", "image/png", "ab" * 32)
    (facts,) = bucket.list()
    assert (facts.path, facts.size, facts.etag) == ("a/x y%20&+.png", 5, etag)
    assert bucket.get(facts.path) == b"bytes"
    head = bucket.head(facts.path)
    assert head
    assert (head.facts, head.sha256) == (facts, "ab" * 32)


def test_a_listing_stays_below_its_prefix(s3: str) -> None:
    opened(f"s3://{s3}/photos2/").put("no.png", b"1")
    opened(f"s3://{s3}/photos/").put("yes.png", b"1")
    assert [facts.path for facts in opened(f"s3://{s3}/photos/").list()] == ["yes.png"]
    assert [facts.path for facts in opened(f"s3://{s3}").list("photos")] == ["photos/yes.png"]


def test_what_is_not_there_is_none_or_missing(s3: str) -> None:
    bucket = opened(f"s3://{s3}/")
    assert bucket.head("nothing") is None
    assert list(bucket.list()) == []
    bucket.delete(["nothing"])
    with pytest.raises(ObjectFault) as caught:
        bucket.get("nothing")
    assert caught.value.reason is Reason.MISSING


def test_a_large_or_changed_object_is_not_read(s3: str) -> None:
    bucket = opened(f"s3://{s3}/")
    etag = bucket.put("a", b"12345")
    assert bucket.get("a", etag, most=5) == b"12345"
    for wrong in ({"etag": '"other"'}, {"most": 4}):
        with pytest.raises(ObjectFault) as caught:
            bucket.get("a", **wrong)
        assert caught.value.reason is Reason.CHANGED


def test_a_put_that_must_be_the_first_is_refused_later(s3: str) -> None:
    bucket = opened(f"s3://{s3}/")
    bucket.put("a", b"1", only_new=True)
    with pytest.raises(ObjectFault) as caught:
        bucket.put("a", b"2", only_new=True)
    assert caught.value.reason is Reason.CHANGED
    assert bucket.get("a") == b"1"


def test_a_signed_url_works_for_anybody_until_it_expires(s3: str) -> None:
    bucket = opened(f"s3://{s3}/")
    bucket.put("a b.png", b"bytes")
    url = bucket.presign("a b.png", 60)
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.read() == b"bytes"
    ranged = urllib.request.Request(url, headers={"Range": "bytes=1-2"})
    with urllib.request.urlopen(ranged, timeout=20) as answer:
        assert (answer.status, answer.read()) == (206, b"yt")
    for wrong in (url.replace("a%20b", "c"), url.replace("Expires=60", "Expires=61")):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(wrong, timeout=20)
    short = bucket.presign("a b.png", 1)
    until = time.monotonic() + 30
    while _status(short) == 200 and time.monotonic() < until:
        pass
    assert _status(short) == 403


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"])
def test_wrong_credentials_are_called_that(
    s3: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "wrong")
    bucket = opened(f"s3://{s3}/")
    for refused in (
        lambda: list(bucket.list()),
        lambda: bucket.get("a"),
        lambda: bucket.put("a", b""),
    ):
        with pytest.raises(ObjectFault, match="secret does not match the access key") as caught:
            refused()
        assert caught.value.reason is Reason.CREDENTIALS


def test_a_bucket_that_is_not_there_is_called_that(s3: str) -> None:
    with pytest.raises(ObjectFault) as caught:
        list(opened("s3://no-such-bucket-here/").list())
    assert caught.value.reason is Reason.NO_BUCKET


def test_a_server_that_is_away_is_a_passing_trouble(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unanswered:
        unanswered.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{unanswered.getsockname()[1]}")
        with pytest.raises(ObjectFault) as caught:
            opened(f"s3://{s3}/").get("a")
    assert caught.value.reason is Reason.PASSING


def test_a_name_that_is_no_path_is_told_and_not_called_an_outage(s3: str) -> None:
    bucket = opened(f"s3://{s3}/")
    bucket.put("x/a", b"1")
    _put_raw(s3, "x//a")
    with pytest.raises(ObjectFault) as caught:
        list(bucket.list())
    assert caught.value.reason is Reason.BAD_NAME


def _put_raw(bucket: str, key: str) -> None:
    """By another client, which lets any key through."""
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"])
    client.put_object(Bucket=bucket, Key=key, Body=b"z")


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_SESSION_TOKEN"])
def test_an_empty_variable_is_one_that_is_not_set(
    s3: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a CI variable that does not exist leaves it."""
    monkeypatch.setenv(variable, "")
    assert list(opened(f"s3://{s3}/").list()) == []


@pytest.mark.parametrize("endpoint", ["ftp://host", "http://a b", "http://u:p@host", "host:9000"])
def test_an_endpoint_that_is_no_url_is_told_and_not_shown(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL") as caught:
        opened("s3://bucket/")
    assert endpoint not in str(caught.value)


def test_a_folder_is_a_store_only_where_that_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        opened(f"file://{tmp_path}/store")
    bucket = opened(f"file://{tmp_path}/store", files=True)
    bucket.put("a/b", b"1", "image/png", "ab" * 32)
    assert [facts.path for facts in bucket.list("a")] == ["a/b"]
    assert bucket.get("a/b") == b"1"
    assert (tmp_path / "store/a/b").read_bytes() == b"1"


def test_a_process_that_used_a_store_ends_in_order(tmp_path: Path) -> None:
    program = (
        "import sys, threading\n"
        "from relightflow.objects.bucket import opened\n"
        "bucket = opened(sys.argv[1], files=True)\n"
        "def work(n): bucket.put(f'{n}', b'x' * 1000); bucket.get(f'{n}')\n"
        "threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
    )
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program, f"file://{tmp_path}/s"], check=False)
        assert done.returncode == 0


def test_a_long_listing_comes_in_pages(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    for number in range(PAGE + 5):
        (tmp_path / f"s/{number}").touch()
    assert len({f.path for f in opened(f"file://{tmp_path}/s", files=True).list()}) == PAGE + 5


def test_what_was_put_into_a_folder_is_on_the_disk_with_the_names_that_lead_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, synced = os.fsync, list[int]()

    def fsync(handle: int) -> None:
        synced.append(os.fstat(handle).st_ino)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    bucket, root = opened(f"file://{tmp_path}/store", files=True), tmp_path / "store"
    bucket.put("costs/demo/1", b"{}", only_new=True)
    places = [root / name for name in ("costs/demo/1", "costs/demo", "costs", "")]
    assert synced == [place.stat().st_ino for place in places]
    synced.clear()
    bucket.put("costs/demo/2", b"{}")
    assert synced == [(root / name).stat().st_ino for name in ("costs/demo/2", "costs/demo")]


@pytest.mark.parametrize(
    ("code", "reason"), [(errno.EIO, Reason.PASSING), (errno.EINVAL, None), (errno.ENOSYS, None)]
)
def test_a_disk_that_cannot_keep_an_object_is_a_fault_and_a_share_without_fsync_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, reason: Reason | None
) -> None:
    def fsync(_: int) -> None:
        raise OSError(code, "refused")

    monkeypatch.setattr(os, "fsync", fsync)
    bucket = opened(f"file://{tmp_path}/store", files=True)
    if reason is None:
        bucket.put("a", b"1")
        return
    with pytest.raises(ObjectFault) as caught:
        bucket.put("a", b"1")
    assert caught.value.reason is reason
