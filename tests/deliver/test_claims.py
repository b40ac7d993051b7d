"""A record may be a stranger's: it is read strictly, and can only hold a purchase back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from relightflow.deliver.claims import Claim, claims_of
from relightflow.deliver.target import SinkTarget
from relightflow.model.values import FrozenMap

KEY, OTHER, SHA = "a1" * 32, "b2" * 32, "c3" * 32
DONE: dict[str, Any] = {
    "record": "output", "status": "done", "key": KEY, "job": KEY[:16], "sha256": SHA,
    "path": "a.png", "cost": 0.05, "request_id": "r",
}  # fmt: skip


@dataclass
class Held:
    """A sink that holds these files."""

    files: dict[str, bytes] = field(default_factory=dict)
    location: str = "/out"

    def read(self, path: str, most: int) -> bytes | None:
        data = self.files.get(path)
        return data if data is not None and len(data) <= most else None


@dataclass
class Telling:
    """A sink that says itself what it holds."""

    found: list[dict[str, Any]]
    location: str = "/archive"

    def records(self) -> Iterator[dict[str, Any]]:
        yield from self.found
        raise OSError(5, "Input/output error")


def target(sink: Any) -> SinkTarget:
    return SinkTarget(sink, "directory", "files", None, "r", FrozenMap())


def held(*records: dict[str, Any], **files: bytes) -> SinkTarget:
    lines = [json.dumps(one) for one in ({"record": "recipe", "format": 1}, *records)]
    return target(Held({"manifest.jsonl": "\n".join(lines).encode(), **files}))


def claims(*records: dict[str, Any]) -> dict[str, Claim]:
    return claims_of([held(*records)], {KEY})


def test_a_done_job_is_claimed_with_all_that_is_told_of_it() -> None:
    found = claims(DONE)[KEY]
    assert (found.sha256, found.path, found.cost, found.request_id) == (SHA, "a.png", 50_000, "r")


@pytest.mark.parametrize(
    "change",
    [
        {"status": "failed"},
        {"key": OTHER},
        {"key": None, "job": "0" * 16},
        {"key": None, "job": 7},
        {"sha256": SHA.upper()},
        {"sha256": SHA[:-1]},
        {"sha256": 7},
    ],
)
def test_what_is_not_done_or_not_asked_for_or_no_hash_is_no_claim(change: dict[str, Any]) -> None:
    assert claims(DONE | change) == {}


def test_a_job_may_be_told_by_the_beginning_of_its_key() -> None:
    assert set(claims({k: v for k, v in DONE.items() if k != "key"})) == {KEY}


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"cost": -1}, "cost"),
        ({"cost": True}, "cost"),
        ({"cost": 1e6}, "cost"),
        ({"cost": "0.05"}, "cost"),
        ({"request_id": "r" * 200}, "request_id"),
        ({"request_id": 7}, "request_id"),
        ({"path": "a\n.png"}, "path"),
        ({"path": 7}, "path"),
        ({"delivered": {"sha256": SHA}}, "path"),
        ({"sha256": None}, "path"),
    ],
)
def test_a_fact_that_cannot_be_is_left_out_and_the_claim_stands(
    change: dict[str, Any], lost: str
) -> None:
    found = claims(DONE | change)[KEY]
    assert not getattr(found, lost)


def test_one_that_can_be_read_back_is_preferred() -> None:
    nameless = {k: v for k, v in DONE.items() if k != "path"}
    first, second = held(nameless), held(DONE, **{"a.png": b"image"})
    for order in ([first, second], [second, first]):
        assert claims_of(order, {KEY})[KEY].read() == b"image"
    assert claims_of([first], {KEY})[KEY].read() is None


def test_a_sink_that_fails_says_what_it_said_before_and_hides_no_other() -> None:
    found = claims_of([target(Telling([DONE])), held(DONE | {"key": OTHER})], {KEY, OTHER})
    assert set(found) == {KEY, OTHER}


def test_a_sink_that_keeps_nothing_claims_nothing() -> None:
    assert claims_of([target(object())], {KEY}) == {}
