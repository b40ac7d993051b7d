from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import StorageError
from relightflow.objects.bucket import Bucket, opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.marker import MARKER, StoreMarker, init_store, read_marker


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return opened(f"file://{tmp_path}/store", files=True)


def test_a_folder_promises_that_claims_hold_and_keeps_what_is_there(bucket: Bucket) -> None:
    bucket.put("jobs/ab/c.json", b"{}")
    made, new = init_store(bucket, pairs=40)
    assert new
    assert (made.atomic, made.pairs, made.doubles) == (True, 40, 0)
    assert read_marker(bucket) == made
    assert {facts.path for facts in bucket.list()} == {MARKER, "jobs/ab/c.json"}


def test_a_store_that_is_made_again_stays_the_same_store(bucket: Bucket) -> None:
    first, _ = init_store(bucket, pairs=2)
    again, new = init_store(bucket, pairs=3)
    assert not new
    assert again == StoreMarker(first.id, atomic=True, pairs=5, doubles=0)


def test_a_store_whose_races_have_two_winners_promises_nothing_ever_again(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Bucket.put

    def put(self: Bucket, path: str, *args: Any, **more: Any) -> str:
        return real(self, path, *args, **{**more, "only_new": False})

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "put", put)
        made, _ = init_store(bucket, pairs=3)
    assert (made.atomic, made.doubles) == (False, 3)
    again, _ = init_store(bucket, pairs=3)
    assert (again.atomic, again.pairs, again.doubles) == (False, 6, 3)


def test_a_store_without_conditional_puts_promises_nothing(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Bucket.put

    def put(self: Bucket, path: str, *args: Any, only_new: bool = False, **more: Any) -> str:
        if only_new:
            raise ObjectFault(Reason.UNSUPPORTED, path, "the store does not support this")
        return real(self, path, *args, **more)

    monkeypatch.setattr(Bucket, "put", put)
    made, _ = init_store(bucket, pairs=3)
    assert not made.atomic


@pytest.mark.parametrize(
    ("text", "words"),
    [("no json", "is damaged"), ("{}", "is damaged"), ('{"format": 2}', "newer version")],
)
def test_a_marker_that_cannot_be_read_is_refused(bucket: Bucket, text: str, words: str) -> None:
    bucket.put(MARKER, text.encode())
    with pytest.raises(StorageError, match=words):
        read_marker(bucket)
    with pytest.raises(StorageError, match=words):
        init_store(bucket, pairs=1)
    assert bucket.get(MARKER) == text.encode()


@pytest.mark.parametrize("field", ["pairs", "doubles", "atomic", "id"])
def test_odd_values_promise_nothing_more(bucket: Bucket, field: str) -> None:
    facts = {"format": 1, "id": "a", "atomic": True, "pairs": 1, "doubles": 0, field: ["x"]}
    bucket.put(MARKER, json.dumps(facts).encode())
    assert read_marker(bucket).atomic is (field != "atomic")
