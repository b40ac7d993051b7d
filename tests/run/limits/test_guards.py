from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from relightflow.run.limits.guards import CLOSE, EXPECTED, LEAST_FREE, DiskGuard, ExpiryGuard
from relightflow.testing.clock import VirtualClock, run


def test_nothing_new_is_submitted_while_a_paid_job_is_about_to_be_forgotten() -> None:
    async def main(clock: VirtualClock) -> float:
        accepted = ExpiryGuard(clock, keeps=3600)
        with accepted.waiting(1, age=3600 - CLOSE - 5):
            await accepted.none_expiring()
            assert not accepted.expiring
            await clock.sleep(6)
            assert accepted.expiring
        begun = clock.monotonic()
        await accepted.none_expiring()
        return clock.monotonic() - begun

    assert run(main) == 0


def test_a_provider_that_never_forgets_holds_nobody_back() -> None:
    async def main(clock: VirtualClock) -> bool:
        accepted = ExpiryGuard(clock, keeps=float("inf"))
        with accepted.waiting(1, age=10**9):
            return accepted.expiring

    assert run(main) is False


def _disk(free: int) -> object:
    return SimpleNamespace(f_bavail=free, f_frsize=1)


@pytest.mark.parametrize(("in_flight", "spare"), [(0, 0), (7, 0), (0, -1), (7, -4096)])
def test_room_is_wanted_for_every_call_in_flight_and_one_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_flight: int, spare: int
) -> None:
    free = LEAST_FREE + (in_flight + 1) * EXPECTED + spare
    monkeypatch.setattr(os, "statvfs", lambda _: _disk(free))  # a full disk, on demand
    assert DiskGuard(tmp_path).missing(in_flight) == -spare


def test_a_large_result_makes_the_next_ones_count_as_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: _disk(LEAST_FREE + EXPECTED))
    room = DiskGuard(tmp_path)
    assert room.missing(0) == 0
    room.seen(EXPECTED + 10)
    assert room.missing(0) == 10
