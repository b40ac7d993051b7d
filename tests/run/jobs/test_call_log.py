"""Lines of the index about paid calls: enough to recreate a lost ledger, no secret, no free call."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from relightflow.errors import StorageError
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.recipe import Limits
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown
from relightflow.model.values import FrozenMap
from relightflow.run.context import RunContext
from relightflow.run.jobs.call_log import CallLog
from relightflow.store.blobs import BlobStore, index
from relightflow.testing.clock import VirtualClock

JOB = Job(
    "k" * 64, Image("a.png", "1" * 64, 9, 2, 2, "image/png", 0, "/secret/a.png"), "studio", "glow",
    FrozenMap({"shade": 1}), 0,
)  # fmt: skip


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[BlobStore]:
    store = BlobStore(tmp_path / "blobs")
    (tmp_path / "blobs").mkdir()
    yield store
    store.close()


def log(blobs: Any, price: int = 50) -> CallLog:
    context = RunContext("run-1", "demo", "studio", price, Limits(), VirtualClock(), Random(1))
    return CallLog(context, blobs)


def lines(tmp_path: Path) -> list[dict[str, Any]]:
    return list(index(tmp_path / "blobs"))


async def test_the_first_line_says_all_that_a_new_ledger_needs(
    blobs: BlobStore, tmp_path: Path
) -> None:
    log(blobs).intent(JOB, "u1", {"nonce": "n"})
    (line,) = lines(tmp_path)
    assert line.pop("at") >= 0
    assert line == {
        "key": JOB.key, "backend": "studio", "model": "glow", "image_sha256": "1" * 64,
        "parameters": {"shade": 1}, "repeat": 0, "price": 50,
        "attempt": "u1", "run": "run-1", "recipe": "demo",
        "event": "INTENT", "details": {"nonce": "n"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("step", "event", "cost"),
    [
        (Accepted("r"), "ACCEPTED", None),
        (ResultKnown("r", "https://x/?signature=secret", 7), "PAID_UNFETCHED", 7),
        (PaidUnfetched("r", -1), "PAID_UNFETCHED", None),
    ],
)
async def test_a_step_leaves_its_request_id_and_never_its_url(
    blobs: BlobStore, tmp_path: Path, step: Any, event: str, cost: int | None
) -> None:
    await log(blobs).step(JOB, "u1", step)
    (line,) = lines(tmp_path)
    assert (line["event"], line["request_id"], line["cost"]) == (event, "r", cost)
    assert "secret" not in (tmp_path / "blobs/index.jsonl").read_text()


async def test_an_end_without_an_image_says_why_and_whether_it_was_billed(
    blobs: BlobStore, tmp_path: Path
) -> None:
    failure = Failure(FailureKind.BAD_RESULT, "no image", Billed.YES, cost=9)
    await log(blobs).end(JOB, "u1", State.FAILED, failure)
    (line,) = lines(tmp_path)
    said = {name: line[name] for name in ("event", "billed", "kind", "reason", "cost")}
    assert said == {
        "event": "FAILED", "billed": "yes", "kind": "bad-result", "reason": "no image", "cost": 9
    }  # fmt: skip


async def test_a_free_call_leaves_no_line(blobs: BlobStore, tmp_path: Path) -> None:
    free = log(blobs, price=0)
    free.intent(JOB, "u1", {})
    await free.step(JOB, "u1", Accepted("r"))
    free.takeover(JOB, "u1", Accepted("r"), 1.0)
    await free.end(JOB, "u1", State.READY, Failure(FailureKind.UNSENT, "no"))
    assert lines(tmp_path) == []


async def test_a_full_disk_stops_a_call_that_has_not_left_and_no_other() -> None:
    class Full:
        def note(self, _: object) -> None:
            raise StorageError("the disk is full")

    full = log(Full())
    with pytest.raises(StorageError):
        full.intent(JOB, "u1", {})
    await full.step(JOB, "u1", Accepted("r"))
    await full.end(JOB, "u1", State.FAILED, Failure(FailureKind.JOB_FAILED, "no"))
