"""Kills of a recipe over three providers: the short form of `python -m benchmarks.reliability mixed`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.reliability.mixed import rounds


def test_a_kill_leaves_each_bill_equal_to_its_jobs(tmp_path: Path) -> None:
    toll = rounds(tmp_path, kills=2, seed=1, images=1, repeat=8)
    assert toll.sound, toll
    assert toll.kills
