from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import StorageError
from relightflow.objects.bucket import Bucket, opened
from relightflow.objects.faults import ObjectFault
from relightflow.store.entries import DamagedEntry
from relightflow.store.index_entry import read_time
from relightflow.store.shared import SharedStore, open_shared
from tests.conftest import make_store
from tests.store.test_claims import KEY, LABEL, claim

SHA = hashlib.sha256(b"bytes").hexdigest()


@pytest.fixture
def remote(tmp_path: Path) -> SharedStore:
    return SharedStore(opened(make_store(f"file://{tmp_path}/store"), files=True))


def test_what_was_published_is_found(remote: SharedStore) -> None:
    remote.publish({**LABEL, "cost": 1}, b"bytes")
    entry = remote.finished(LABEL)
    assert entry
    assert (entry["sha256"], entry["cost"]) == (SHA, 1)
    assert remote.blob(SHA) == b"bytes"


def test_the_bytes_are_there_before_the_entry_that_relies_on_them(
    remote: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    real = Bucket.put

    def put(self: Bucket, path: str, *args: Any, **more: Any) -> str:
        order.append(path.split("/")[0])
        return real(self, path, *args, **more)

    monkeypatch.setattr(Bucket, "put", put)
    remote.publish(LABEL, b"bytes")
    assert order == ["blobs", "jobs"]


@pytest.mark.parametrize("name", ["backend", "model", "image_sha256", "parameters", "repeat"])
def test_an_entry_about_another_job_is_not_believed(remote: SharedStore, name: str) -> None:
    remote.publish(LABEL, b"bytes")
    with pytest.raises(DamagedEntry):
        remote.finished({**LABEL, name: "other"})


@pytest.mark.parametrize("text", [b"", b"no json", b"[]", b"{}", b'{"format": 2}', b"[" * 100_000])
def test_a_damaged_entry_is_not_taken_for_none(remote: SharedStore, text: bytes) -> None:
    assert remote.finished(LABEL) is None
    remote.bucket.put(f"jobs/ab/{KEY}.json", text)
    with pytest.raises(DamagedEntry):
        remote.finished(LABEL)


def test_every_flipped_bit_of_a_blob_is_found(remote: SharedStore) -> None:
    remote.publish(LABEL, b"bytes")
    for position in range(5 * 8):
        flipped = bytearray(b"bytes")
        flipped[position // 8] ^= 1 << position % 8
        remote.bucket.put(f"blobs/{SHA[:2]}/{SHA}", bytes(flipped))
        assert remote.blob(SHA) is None
    remote.bucket.put(f"blobs/{SHA[:2]}/{SHA}", b"bytes, and more")
    assert remote.blob(SHA) is None
    remote.bucket.delete([f"blobs/{SHA[:2]}/{SHA}"])
    assert remote.blob(SHA) is None


def test_a_claim_goes_once_the_result_is_there(remote: SharedStore) -> None:
    remote.claims.create(LABEL, claim())
    remote.publish(LABEL, b"bytes")
    assert remote.claims.of(LABEL) is None


@pytest.mark.parametrize("there", [True, False])
def test_a_place_without_the_marker_is_no_store(tmp_path: Path, there: bool) -> None:
    """An unmounted share, or a typo."""
    if there:
        (tmp_path / "share").mkdir()
    remote = open_shared(f"file://{tmp_path}/share")
    assert remote
    for ask in (
        remote.finished,
        lambda job: remote.claims.of(job),
        lambda _: list(remote.entries()),
    ):
        with pytest.raises(StorageError, match="relightflow store init file://"):
            ask(LABEL)
    with pytest.raises(StorageError):
        remote.publish(LABEL, b"bytes")
    assert not list(tmp_path.glob("share/*"))


def test_an_entry_holds_no_url_and_no_place_of_this_machine(remote: SharedStore) -> None:
    remote.publish(LABEL, b"bytes")
    entry = json.loads(remote.bucket.get(f"jobs/ab/{KEY}.json"))
    assert set(entry) == {*LABEL, "sha256", "format"}


@pytest.mark.usefixtures("s3")
def test_an_outage_is_not_taken_for_nothing(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(ObjectFault):
        SharedStore(opened(f"s3://{s3}/")).finished(LABEL)


PLANTED: dict[str, str] = {
    "a number that is none": '"cost": NaN',
    "an infinite number": '"cost": 1e999',
    "a number that is none, in the job": '"repeat": NaN',
    "a number that is none, in what is noted": '"details": {"a": -Infinity}',
    "a blob's name that leads elsewhere": f'"sha256": "../../{"a" * 58}"',
    "a blob's name in capitals": f'"sha256": "{"A" * 64}"',
    "a list for a blob's name": '"sha256": []',
    "another format": '"format": true',
    "a job nested deep": '"parameters": ' + "[" * 900 + "]" * 900,
    "nested deeper": '"details": ' + "[" * 200_000 + "]" * 200_000,
    "a number of many digits": '"repeat": ' + "9" * 5000,
    "an id with a space": '"request_id": "a b", "sha256": ""',
    "an id that is none": '"request_id": 7, "sha256": ""',
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_entry_is_none_whoever_reads_it(remote: SharedStore, kind: str) -> None:
    planted = {**LABEL, "format": 1, "sha256": SHA, "request_id": "r", "at": 1}
    text = json.dumps(planted)[:-1] + f", {PLANTED[kind]}}}"
    remote.bucket.put(f"jobs/ab/{KEY}.json", text.encode())
    remote.bucket.put(f"inflight/{KEY}.json", text.encode())
    if "id" not in kind.split() or "blob's" in kind:
        with pytest.raises(DamagedEntry):
            remote.finished(LABEL)
    if "blob's" not in kind and "nested deep" not in kind.replace("deeper", ""):
        assert remote.claims.of(LABEL) is None
    assert [damaged for _, damaged in remote.damaged()] == [True]


@pytest.mark.parametrize("at", ["1e30", "-1", "true", '"x"', "null", "9" * 400])
def test_a_time_that_cannot_be_is_none(at: str) -> None:
    assert read_time(json.loads(f'{{"at": {at}}}')) == 0.0
