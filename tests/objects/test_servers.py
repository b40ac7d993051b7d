"""The same on every kind of store: OpenStack Swift, moto and Azurite, each a real server."""

from __future__ import annotations

import urllib.request
import uuid
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from relightflow.network import apart
from relightflow.objects.bucket import Bucket, opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.marker import MARKER, init_store, read_marker
from tests.servers.azurite import ACCOUNT, KEY, AzureServer


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"b-{uuid.uuid4().hex[:20]}"  # all servers of a process have the same buckets
    request = urllib.request.Request(f"http://{host}:{port}/{name}", method="PUT")
    urllib.request.urlopen(request, timeout=20).close()
    yield f"s3://{name}/"
    server.stop()


@pytest.mark.parametrize(("kind", "atomic"), [("s3", False), ("azure", True)])
def test_a_store_finds_out_whether_claims_hold_there(
    request: pytest.FixtureRequest, kind: str, atomic: bool
) -> None:
    """OpenStack Swift looks and writes in two steps, so that both of two writers may succeed."""
    name = request.getfixturevalue(kind)
    store = opened(f"{'az' if kind == 'azure' else kind}://{name}/store/")
    marker, new = init_store(store, pairs=60)
    assert (marker.atomic, new) == (atomic, True)
    assert [facts.path for facts in store.list()] == [MARKER]
    assert read_marker(store) == marker


@pytest.fixture(params=["s3", "moto", "azure"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    name = request.getfixturevalue(request.param)
    urls = {"s3": f"s3://{name}/", "moto": name, "azure": f"az://{name}/"}
    return opened(urls[request.param] + "prefix/")


def test_an_object_is_the_same_in_a_listing_in_its_head_and_in_its_answer(bucket: Bucket) -> None:
    etag = bucket.put("a/x y%20&+ü.png", b"bytes", "image/png", "ab" * 32)
    (facts,) = bucket.list()
    assert (facts.path, facts.size, facts.etag) == ("a/x y%20&+ü.png", 5, etag)
    assert bucket.get(facts.path, facts.etag) == b"bytes"
    head = bucket.head(facts.path)
    assert head
    assert (head.facts.etag, head.facts.size, head.sha256) == (etag, 5, "ab" * 32)
    assert etag.startswith('"')


def test_what_changed_is_another_and_is_not_read(bucket: Bucket) -> None:
    first = bucket.put("a", b"1")
    second = bucket.put("a", b"2")
    assert first != second
    with pytest.raises(ObjectFault) as caught:
        bucket.get("a", first)
    assert caught.value.reason is Reason.CHANGED
    assert bucket.get("a", second) == b"2"


def test_the_first_one_stays(bucket: Bucket) -> None:
    bucket.put("a", b"1", only_new=True)
    with pytest.raises(ObjectFault) as caught:
        bucket.put("a", b"2", only_new=True)
    assert caught.value.reason is Reason.CHANGED
    assert bucket.get("a") == b"1"


def test_what_is_gone_is_missing(bucket: Bucket) -> None:
    bucket.put("a", b"1")
    bucket.put("b", b"1")
    bucket.delete(["a", "nothing"])
    assert [facts.path for facts in bucket.list()] == ["b"]
    assert bucket.head("a") is None
    with pytest.raises(ObjectFault) as caught:
        bucket.get("a")
    assert caught.value.reason is Reason.MISSING


def test_a_signed_url_gives_the_bytes(bucket: Bucket) -> None:
    bucket.put("a/b.png", b"1")
    with urllib.request.urlopen(bucket.presign("a/b.png", 60), timeout=20) as answer:
        assert answer.read() == b"1"


def test_a_worker_reads_the_listed_version_by_a_signed_url(bucket: Bucket) -> None:
    bucket.put("a/b.png", b"1")
    (listed,) = bucket.list()
    url = bucket.presign(listed.path, 60)
    assert apart.get(url, 9, listed.etag) == b"1"
    bucket.put("a/b.png", b"2")
    with pytest.raises(OSError, match="another version"):
        apart.get(url, 9, listed.etag)


def test_a_signed_url_that_azure_would_refuse_is_not_made(azure: str) -> None:
    bucket = opened(f"az://{azure}/")
    bucket.put("a b.png", b"1")
    with pytest.raises(ObjectFault, match="delivery: upload"):
        bucket.presign("a b.png", 60)


def test_a_place_that_is_not_there_ends_with_2(bucket: Bucket) -> None:
    elsewhere = opened(f"{bucket.address.scheme}://no-such-{bucket.address.bucket}/")
    with pytest.raises(ObjectFault) as caught:
        list(elsewhere.list())
    assert caught.value.reason is Reason.NO_BUCKET
    assert caught.value.as_error.exit_code == 2


@pytest.mark.parametrize(
    "environ",
    [
        {"AZURE_STORAGE_CONNECTION_STRING": "AccountName={a};AccountKey={k};BlobEndpoint={e}"},
        {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": "{origin}"},
        {
            "AZURE_STORAGE_ACCOUNT_NAME": "{a}",
            "AZURE_STORAGE_ACCOUNT_KEY": "{k}",
            "AZURE_ENDPOINT": "{e}/",
        },
    ],
)
def test_every_way_to_name_an_azure_server_leads_there(
    azure: str, azure_server: AzureServer, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in azure_server.environment:
        monkeypatch.delenv(name)
    endpoint = azure_server.endpoint
    facts = {"a": ACCOUNT, "k": KEY, "e": endpoint, "origin": endpoint.rpartition("/")[0]}
    for name, value in environ.items():
        monkeypatch.setenv(name, value.format(**facts))
    bucket = opened(f"az://{azure}/")
    bucket.put("a", b"1")
    assert [facts.path for facts in bucket.list()] == ["a"]


def test_a_wrong_key_of_azure_ends_with_4(azure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_KEY", "d3Jvbmc=")
    with pytest.raises(ObjectFault, match=r"check the|check what") as caught:
        list(opened(f"az://{azure}/").list())
    assert caught.value.as_error.exit_code == 4


def test_an_archived_blob_is_called_one(azure: str, azure_server: AzureServer) -> None:
    bucket = opened(f"az://{azure}/")
    bucket.put("a", b"1")
    azure_server.call("PUT", f"{azure}/a", {"x-ms-access-tier": "Archive"}, comp="tier")
    with pytest.raises(ObjectFault, match="archived") as caught:
        bucket.get("a")
    assert caught.value.reason is Reason.ARCHIVED
