"""Kills of runs whose calls bear our name: the short form of `python -m benchmarks.reliability named`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.reliability.named import PROVIDERS, rounds


@pytest.mark.parametrize("backend", PROVIDERS)
def test_a_kill_leaves_nothing_unknown_once_a_run_ends(backend: str, tmp_path: Path) -> None:
    toll = rounds(tmp_path, backend, kills=1, seed=3)
    assert toll.sound, toll
    assert toll.kills == 1
