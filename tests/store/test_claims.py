from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.reservation import model_id
from relightflow.model.values import FrozenMap
from relightflow.objects.bucket import opened
from relightflow.store.claims import Claims

KEY, GLOW = "ab" * 32, model_id("studio", "glow")
LABEL: dict[str, Any] = {
    "key": KEY, "backend": "studio", "model": "glow", "image_sha256": "cd" * 32,
    "parameters": {"shade": 1}, "repeat": 0, "price": 50_000,
}  # fmt: skip


def claim(attempt: str = "1" * 32, **facts: Any) -> JobClaim:
    made = JobClaim(
        KEY, State.INTENT, attempt, "run-1", "host-1", 7.5, 50_000, recipe="spring", model=GLOW
    )
    return replace(made, **facts)


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    return Claims(opened(f"file://{tmp_path}/store", files=True))


def test_of_many_who_claim_a_job_one_gets_it(claims: Claims) -> None:
    start = Barrier(8)

    def want(number: int) -> bool:
        start.wait()
        return claims.create(LABEL, claim(f"{number}" * 32))

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(want, range(8)))
    assert sum(won) == 1
    found = claims.of(LABEL)
    assert found
    assert found.attempt == f"{won.index(True)}" * 32


def test_a_claim_is_read_as_it_was_written(claims: Claims) -> None:
    told = claim(
        state=State.ACCEPTED, request_id="r-1", cost=3, reason="why", details=FrozenMap({"a": 1})
    )
    claims.put(LABEL, told)
    assert claims.of(LABEL) == told
    assert list(claims.all()) == [told]


def test_an_announcement_of_version_0_1_is_a_claim_without_a_name(claims: Claims) -> None:
    old = {**LABEL, "format": 1, "request_id": "r-1", "details": {"api": "v2"}, "at": 1.0}
    opened(f"{claims}", files=True).put(f"inflight/{KEY}.json", json.dumps(old).encode())
    found = claims.of(LABEL)
    assert found == JobClaim(
        KEY, State.ACCEPTED, "", "", "", 1.0, 50_000, request_id="r-1",
        model=GLOW, details=FrozenMap({"api": "v2"}),
    )  # fmt: skip
    assert not claims.create(LABEL, claim())


def test_a_claim_that_is_told_is_read_by_version_0_1(claims: Claims, tmp_path: Path) -> None:
    """It looks for the job's facts, the format and the request id."""
    claims.put(LABEL, claim(state=State.ACCEPTED, request_id="r-1"))
    entry = json.loads((tmp_path / f"store/inflight/{KEY}.json").read_text())
    assert {**LABEL, "format": 1, "request_id": "r-1"}.items() <= entry.items()


def test_only_its_owner_releases_a_claim(claims: Claims) -> None:
    claims.create(LABEL, claim("1" * 32))
    claims.release(LABEL, "2" * 32)
    assert claims.of(LABEL)
    claims.release(LABEL, "1" * 32)
    assert claims.of(LABEL) is None
    claims.release(LABEL, "1" * 32)


@pytest.mark.parametrize(
    "planted",
    [
        {"event": "DONE"}, {"event": 7}, {"event": "ACCEPTED"}, {"request_id": "a b"},
        {"request_id": 7}, {"format": 2}, {"parameters": {"shade": 2}},
    ],
)  # fmt: skip
def test_an_object_that_makes_no_sense_is_no_claim_and_keeps_others_away(
    claims: Claims, planted: dict[str, Any]
) -> None:
    entry = {**LABEL, "format": 1, "event": "INTENT", "attempt": "1" * 32, **planted}
    opened(f"{claims}", files=True).put(f"inflight/{KEY}.json", json.dumps(entry).encode())
    assert claims.of(LABEL) is None
    assert not claims.create(LABEL, claim())


def test_names_that_others_wrote_are_plain_or_empty(claims: Claims) -> None:
    entry = {**LABEL, "format": 1, "event": "INTENT", "attempt": "../x", "machine": "a\x1b[31m"}
    opened(f"{claims}", files=True).put(f"inflight/{KEY}.json", json.dumps(entry).encode())
    found = claims.of(LABEL)
    assert found
    assert (found.attempt, found.machine, found.run) == ("", "", "")
