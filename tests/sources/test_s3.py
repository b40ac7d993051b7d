"""Against a real S3 server."""

from __future__ import annotations

import os
import pickle
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest

from relightflow.errors import AccountError, EarlyStop, UsageError
from relightflow.model.image import Found, Image, Rejected, Remark
from relightflow.model.values import FrozenMap
from relightflow.objects.bucket import Bucket, opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.plugins.executor import Task, TaskRefused
from relightflow.plugins.records import OperatorPolicy, SourceContext
from relightflow.plugins.source import SourceUnavailable, StaleImage
from relightflow.sources.s3 import MAX_BYTES, S3Source
from tests.scripted_backend import png
from tests.servers.proxy import ForwardProxy, running

T = TypeVar("T")


@pytest.fixture
def photos(s3: str) -> Bucket:
    return opened(f"s3://{s3}/photos/")


def _source(bucket: Bucket, cache: Path | None = None, **options: Any) -> S3Source:
    avoid = options.pop("avoid", ())
    operator = options.pop("operator", OperatorPolicy())
    options = {"uri": str(bucket), **options}
    return S3Source(SourceContext(Path("/"), FrozenMap(options), 3, operator, cache, (), avoid))


def _names(found: Iterator[Found]) -> list[str]:
    return [item.name for item in found if isinstance(item, Image | Rejected)]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every object that is read from now on."""
    seen: list[str] = []
    real = Bucket.get

    def get(self: Bucket, path: str, etag: str = "", most: int | None = None) -> bytes:
        seen.append(path)
        return real(self, path, etag, most)

    monkeypatch.setattr(Bucket, "get", get)
    return seen


def test_images_come_in_natural_order_below_the_prefix(photos: Bucket) -> None:
    for name in ("a10.png", "a9.png", "b/c ü%20.PNG", "notes.txt", "B1.jpg"):
        photos.put(name, png(name))
    assert _names(_source(photos).scan()) == ["a9.png", "a10.png", "b/c ü%20.PNG", "B1.jpg"]


def test_patterns_choose_and_leave_out(photos: Bucket) -> None:
    for name in ("a.png", "draft/b.png", "x/y/c.png", "x/.hidden/d.png"):
        photos.put(name, png(name))
    source = _source(photos, include=["**/*.png"], exclude=["draft", "**/c.*"])
    assert _names(source.scan()) == ["a.png"]


def test_a_pattern_that_matches_no_object_is_told(photos: Bucket, tmp_path: Path) -> None:
    photos.put("sub/a.png", png("a"))
    wanted = "'*.png' matches none of the 1 objects, which are in folders: write '**/*.png' for "
    list(_source(photos, tmp_path).scan())
    for policy in (OperatorPolicy(offline=True), OperatorPolicy()):
        source = _source(photos, tmp_path, include=["*.png"], operator=policy)
        (said,) = (item for item in source.scan() if isinstance(item, Remark))
        assert (said.field, said.source) == ("include", 3)
        assert said.message.startswith(wanted)


def test_an_unchanged_object_is_not_read_again(
    photos: Bucket, tmp_path: Path, reads: list[str]
) -> None:
    for name in ("a.png", "b.png"):
        photos.put(name, png(name))
    first = list(_source(photos, tmp_path).scan())
    photos.put("b.png", png("other"))
    reads.clear()
    second = list(_source(photos, tmp_path).scan())
    assert reads == ["b.png"]
    assert second[0] == first[0]
    assert second[1] != first[1]


def test_offline_an_earlier_scan_is_used_and_nothing_is_asked(
    photos: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos.put("a.png", png("a"))
    first = list(_source(photos, tmp_path).scan())
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    assert list(_source(photos, tmp_path, operator=OperatorPolicy(offline=True)).scan()) == first


def test_what_is_not_an_image_is_rejected_with_a_reason(
    photos: Bucket, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    photos.put("a.png", b"no image")
    photos.put("b.png", b"")
    photos.put("c.png", png("c"))
    found = list(_source(photos).scan())
    assert [type(item) for item in found] == [Rejected, Rejected, Image]
    assert isinstance(found[1], Rejected)
    assert found[1].reason == "empty"
    assert reads.count("b.png") == 0


def test_a_huge_object_is_rejected_without_reading_it(
    photos: Bucket, monkeypatch: pytest.MonkeyPatch, reads: list[str]
) -> None:
    photos.put("a.png", png("a") + bytes(MAX_BYTES // 64))
    monkeypatch.setattr("relightflow.sources.s3.MAX_BYTES", MAX_BYTES // 64)
    (found,) = _source(photos).scan()
    assert isinstance(found, Rejected)
    assert "larger than" in found.reason
    assert not reads


def test_an_object_that_stands_for_a_folder_is_passed(photos: Bucket) -> None:
    photos.put("sub", b"")
    photos.put("sub/a.png", png("a"))
    assert _names(_source(photos, include=["**"]).scan()) == ["sub/a.png"]


def test_folders_of_consoles_are_passed_over_whether_or_not_something_is_in_them(
    s3: str, photos: Bucket
) -> None:
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"])
    for key in ("photos/", "photos/empty/", "photos/sub/", "photos/hadoop_$folder$"):
        client.put_object(Bucket=s3, Key=key, Body=b"")
    client.close()
    photos.put("sub/a.png", png("a"))
    photos.put("empty.png", b"")
    found = list(_source(photos, include=["**"]).scan())
    assert _names(iter(found)) == ["empty.png", "sub/a.png"]
    assert isinstance(found[0], Rejected)


def _refusal(status: int, code: str, message: str = "", more: str = "") -> bytes:
    """An answer of Amazon's."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>".encode()
    head = f"HTTP/1.1 {status} No\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


SSE_C = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."
REFUSED = {
    "archived.png": (_refusal(403, "InvalidObjectState"), "it is archived"),
    "customer.png": (_refusal(400, "InvalidRequest", SSE_C), "SSE-C"),
    "denied.png": (_refusal(403, "AccessDenied"), "access denied"),
    "kms.png": (_refusal(400, "KMS.DisabledException"), "400"),
}


@pytest.fixture
def between(photos: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForwardProxy]:
    """What stands between us and the store, and may answer in its place."""
    host, port = os.environ["AWS_ENDPOINT_URL_S3"].removeprefix("http://").split(":")
    with running(ForwardProxy({"s3.example": (host, int(port))})) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3.example")
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        yield proxy


def test_one_object_that_cannot_be_read_is_named_and_the_others_go_on(
    photos: Bucket, between: ForwardProxy
) -> None:
    for name in (*REFUSED, "z.png"):
        photos.put(name, png(name))
    between.answers = {name: said for name, (said, _) in REFUSED.items()}
    *refused, good = _source(opened(str(photos))).scan()
    assert isinstance(good, Image)
    for item in refused:
        assert isinstance(item, Rejected)
        assert REFUSED[item.name][1] in item.reason
    assert len(refused) == len(REFUSED)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (_refusal(403, "ExpiredToken"), AccountError, "has expired"),
        (_refusal(403, "InvalidAccessKeyId"), AccountError, "AWS_ACCESS_KEY_ID"),
        (
            _refusal(400, "AuthorizationHeaderMalformed", "", "<Region>eu-west-1</Region>"),
            UsageError,
            r"another region \(eu-west-1\); set AWS_REGION",
        ),
        (
            _refusal(
                301, "PermanentRedirect", "", "<Endpoint>s3.eu-west-1.amazonaws.com</Endpoint>"
            ),
            UsageError,
            "another region",
        ),
    ],
)
def test_what_is_wrong_with_all_of_them_ends_it(
    photos: Bucket, between: ForwardProxy, said: bytes, kind: type[Exception], words: str
) -> None:
    for name in ("a.png", "b.png"):
        photos.put(name, png(name))
    between.answers = {"b.png": said}
    with pytest.raises(kind, match=words):
        list(_source(opened(str(photos))).scan())


def test_an_object_that_cannot_be_had_now_is_not_stale(
    photos: Bucket, between: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relightflow.objects.bucket._RETRIES", {"max_retries": 0})
    photos.put("a.png", png("a"))
    source = _source(opened(str(photos)))
    (image,) = source.scan()
    assert isinstance(image, Image)
    between.answers = {"a.png": _refusal(503, "SlowDown")}
    with pytest.raises(SourceUnavailable, match=r"a\.png cannot be read now"):
        source.read(image)


def test_images_of_azure_are_read_and_not_read_again(
    azure: str, tmp_path: Path, reads: list[str]
) -> None:
    blobs = opened(f"az://{azure}/photos/")
    for name in ("a.png", "sub/ü b.png"):
        blobs.put(name, png(name))
    blobs.put("sub", b"")
    first = list(_source(blobs, tmp_path).scan())
    assert _names(iter(first)) == ["a.png", "sub/ü b.png"]
    assert all(isinstance(item, Image) for item in first)
    reads.clear()
    assert list(_source(blobs, tmp_path).scan()) == first
    assert reads == []
    assert isinstance(first[0], Image)
    assert _source(blobs).read(first[0]) == png("a.png")


@pytest.mark.parametrize("gone", [True, False])
def test_what_changed_or_vanished_is_stale(photos: Bucket, gone: bool) -> None:
    photos.put("a.png", png("a"))
    (image,) = _source(photos).scan()
    assert isinstance(image, Image)
    photos.delete(["a.png"]) if gone else photos.put("a.png", png("b"))
    with pytest.raises(StaleImage, match=r"a\.png"):
        _source(photos).read(image)


def test_presigned_urls_are_made_when_they_are_asked_for(photos: Bucket) -> None:
    photos.put("a b.png", png("a"))
    source = _source(photos, delivery="presign")
    (image,) = source.scan()
    assert isinstance(image, Image)
    assert (image.delivery, image.url) == ("url", "")
    url = source.public_url(image)
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.read() == png("a")
    assert "Expires=3600" in url


def test_results_of_the_same_recipe_are_no_inputs(s3: str) -> None:
    everything = opened(f"s3://{s3}/")
    everything.put("a.png", png("a"))
    everything.put("out/b.png", png("b"))
    assert _names(_source(everything, avoid=(f"s3://{s3}/out/",)).scan()) == ["a.png"]
    with pytest.raises(UsageError, match="results would become inputs"):
        _source(opened(f"s3://{s3}/out/x/"), avoid=(f"s3://{s3}/out/",))


def test_a_wrong_secret_needs_a_person(photos: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret-x")
    with pytest.raises(AccountError, match="secret does not match the access key") as caught:
        list(_source(photos).scan())
    assert "wrong-secret-x" not in str(caught.value)


def test_a_missing_bucket_is_a_mistake_in_the_recipe(photos: Bucket) -> None:
    with pytest.raises(UsageError, match="bucket not found"):
        list(_source(photos, uri="s3://there-is-no-such-bucket/").scan())


def test_an_outage_stops_the_scan_and_calls_no_image_bad(
    photos: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos.put("a.png", png("a"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(EarlyStop):
        list(_source(photos).scan())


def test_a_worker_reads_an_object_without_any_credentials(
    photos: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos.put("b ü/a+1.png", png("a"))
    source = _source(photos)
    (image,) = source.scan()
    assert isinstance(image, Image)
    sent = pickle.dumps(source.reader(image))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert os.environ[name].encode() not in sent or name.endswith("ID")
        monkeypatch.delenv(name)
    assert pickle.loads(sent)() == png("a")
    photos.delete(["b ü/a+1.png"])
    with pytest.raises(OSError, match="the server answered 404"):
        pickle.loads(sent)()


def test_where_nothing_can_be_signed_no_worker_reads(
    photos: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos.put("a.png", png("a"))
    source = _source(photos)
    (image,) = source.scan()
    assert isinstance(image, Image)

    def presign(self: Bucket, path: str, seconds: int) -> str:
        raise ObjectFault(Reason.DENIED, path, "no key that signs")

    monkeypatch.setattr(Bucket, "presign", presign)
    assert source.reader(image) is None


def test_workers_read_and_hash_new_objects_without_credentials(
    photos: Bucket, reads: list[str]
) -> None:
    photos.put("a.png", png("a"))
    photos.put("b c.png", b"no image")
    alone = list(_source(photos).scan())
    reads.clear()
    asked: list[Task[Any]] = []

    def ask(task: Task[T]) -> T | None:
        asked.append(task)
        with suppress(TaskRefused):
            return task()
        return None

    options = FrozenMap({"uri": str(photos)})
    source = S3Source(SourceContext(Path("/"), options, 3, OperatorPolicy(), ask=ask))
    assert list(source.scan()) == alone
    assert reads == ["b c.png"], "what is no image is looked at here"
    secret = os.environ["AWS_SECRET_ACCESS_KEY"].encode()
    assert not any(secret in pickle.dumps(task) for task in asked)


def test_an_object_that_changed_before_a_worker_read_it_is_not_taken_for_the_listed_one(
    photos: Bucket,
) -> None:
    photos.put("a.png", png("b"))
    assert len(png("b")) == len(png("c"))

    def ask(task: Task[T]) -> T | None:
        photos.put("a.png", png("c"))
        with pytest.raises(TaskRefused, match="another version"):
            task()
        return None

    options = FrozenMap({"uri": str(photos)})
    source = S3Source(SourceContext(Path("/"), options, 3, OperatorPolicy(), ask=ask))
    (found,) = source.scan()
    assert isinstance(found, Rejected)
