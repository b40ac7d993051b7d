from __future__ import annotations

import json
from pathlib import Path

import pytest

from relightflow.core import redact
from relightflow.objects.bucket import Bucket, opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.store.entries import FORMAT, Entries
from tests.store.test_claims import LABEL


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return opened(f"file://{tmp_path}/store", files=True)


def test_an_entry_is_of_our_format_and_about_the_very_job(bucket: Bucket) -> None:
    entries = Entries(bucket)
    entries.put("a/b.json", {**LABEL, "more": 1})
    assert entries.of_job("a/b.json", LABEL) == {**LABEL, "more": 1, "format": FORMAT}
    assert entries.of_job("a/b.json", {**LABEL, "price": 1}), (
        "the price is no part of what a job is"
    )
    assert entries.of_job("a/b.json", {**LABEL, "repeat": 1}) is None
    assert entries.of_job("a/c.json", LABEL) is None


@pytest.mark.parametrize("version", [0, 2, True, "1", None])
def test_another_format_is_nothing(bucket: Bucket, version: object) -> None:
    bucket.put("a.json", json.dumps({**LABEL, "format": version}).encode())
    assert Entries(bucket).at("a.json") is None


def test_what_is_there_is_not_replaced_where_only_new_is_wanted(bucket: Bucket) -> None:
    entries = Entries(bucket)
    entries.put("a.json", {"n": 1}, only_new=True)
    with pytest.raises(ObjectFault) as caught:
        entries.put("a.json", {"n": 2}, only_new=True)
    assert caught.value.reason is Reason.CHANGED
    assert entries.at("a.json") == {"n": 1, "format": FORMAT}


def test_a_secret_is_written_nowhere(bucket: Bucket) -> None:
    redact.register("very-secret-word")
    Entries(bucket).put("a.json", {"reason": "refused very-secret-word"})
    assert b"very-secret-word" not in bucket.get("a.json")
