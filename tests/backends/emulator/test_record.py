from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.emulator.record import Record


def _record(**facts: Any) -> Record:
    given: dict[str, Any] = {
        "request_id": "r",
        "api": "v2",
        "model": "m",
        "body": {},
        "image": "",
        "cost": 50_000,
        "created": 100.0,
        "starts": 101.0,
        "done": 110.0,
        "expires": 900.0,
        "outputs": (),
        "media_type": "",
        "seed": 1,
        "remaining": 0,
    }
    return Record(**(given | facts))


@pytest.mark.parametrize(
    ("now", "status"),
    [(100, "QUEUED"), (100.9, "QUEUED"), (101, "PROCESSING"), (109.9, "PROCESSING")],
)
@pytest.mark.parametrize("error", ["", "cannot fetch"])
def test_a_failure_shows_only_at_the_end(now: float, status: str, error: str) -> None:
    assert _record(error=error).status(now) == status


@pytest.mark.parametrize(
    ("error", "cost", "ends"),
    [
        ("", 50_000, ("COMPLETED", True)),
        ("", 0, ("COMPLETED", True)),
        ("cannot fetch", 0, ("FAILED", False)),
        ("cannot fetch", 50_000, ("FAILED", True)),
    ],
)
def test_a_request_that_failed_is_billed_only_where_it_cost_something(
    error: str, cost: int, ends: tuple[str, bool]
) -> None:
    record = _record(error=error, cost=cost)
    assert (record.status(110), record.billed) == ends


def test_the_end_stays_the_end() -> None:
    assert _record().status(1e12) == "COMPLETED"
