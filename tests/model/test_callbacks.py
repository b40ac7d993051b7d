from __future__ import annotations

from typing import Any

from relightflow.model.callbacks import RunCallbacks


def test_whoever_asks_for_nothing_is_told_nothing_and_breaks_nothing() -> None:
    nobody: Any = RunCallbacks()
    for call in (nobody.on_start, nobody.on_outcome, nobody.on_notice):
        assert call("anything") is None
