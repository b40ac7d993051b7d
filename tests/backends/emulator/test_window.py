from __future__ import annotations

from relightflow.backends.emulator.config import ServerRate
from relightflow.backends.emulator.window import FixedWindow


def test_first_call_opens_the_window_and_refused_calls_do_not_count() -> None:
    window = FixedWindow(ServerRate(2, 5.0))
    assert [window.take(t) for t in (100.0, 104.0, 104.5, 104.9)] == [None, None, 105.0, 105.0]
    assert [window.take(t) for t in (105.0, 106.0, 107.0)] == [None, None, 110.0]


def test_no_rate_refuses_nothing() -> None:
    assert all(FixedWindow(None).take(0.0) is None for _ in range(1000))
