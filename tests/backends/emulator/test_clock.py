from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from relightflow.backends.emulator.clock import EmulatorClock, http_date, reset_text, stamp

MOMENT = datetime(2026, 11, 23, 15, 5, 1, 123400, UTC).timestamp()


@pytest.mark.parametrize(
    ("spelling", "text"),
    [
        ("iso-z", "2026-11-23T15:05:01.124Z"),
        ("iso-offset", "2026-11-23T15:05:01.124+00:00"),
        ("iso", "2026-11-23T15:05:01.124"),
        ("space", "2026-11-23 15:05:02"),
        ("epoch", "1795446302"),
        ("epoch-ms", "1795446301124"),
        ("http-date", "Mon, 23 Nov 2026 15:05:02 GMT"),
    ],
)
def test_reset_is_spelt_as_told_and_never_too_early(spelling: Any, text: Any) -> None:
    assert reset_text(MOMENT, spelling) == text


def test_stamp_and_http_date() -> None:
    assert stamp(MOMENT) == "2026-11-23T15:05:01.123Z"
    assert parsedate_to_datetime(http_date(MOMENT)).timestamp() == int(MOMENT)


def test_clock_runs_on_the_monotonic_one_and_can_be_shifted() -> None:
    ticks = iter([100.0, 103.0, 103.0])
    clock = EmulatorClock(monotonic=lambda: next(ticks))
    first = clock.now()
    clock.shift(3600)
    assert clock.now() - first == pytest.approx(3600)
