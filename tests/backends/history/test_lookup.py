"""Settling doubts by records is tested over simulated ones in test_absence.py, over the emulator's in
segmind/test_history.py; here is what holds for any provider's."""

from __future__ import annotations

import pytest

from relightflow.backends.history.lookup import EVER, Span, at_once, patiently
from relightflow.model.failure import CallFailed, Failure, FailureKind

BUSY = Failure(FailureKind.UNAVAILABLE, "busy")


def test_a_row_without_a_time_may_be_in_any_span() -> None:
    assert Span(1.0, 2.0).holds(None)
    assert Span(1.0, 2.0).holds(2.0)
    assert not Span(1.0, 2.0).holds(2.1)
    assert EVER.holds(-1e12)


async def test_a_read_is_repeated_for_as_long_as_the_caller_waits() -> None:
    left = [BUSY, BUSY]
    waited: list[Failure] = []

    async def ask() -> str:
        if left:
            raise CallFailed(left.pop())
        return "rows"

    async def retry(failure: Failure) -> None:
        waited.append(failure)

    assert await patiently(ask, retry) == "rows"
    assert waited == [BUSY, BUSY]
    left.append(BUSY)
    with pytest.raises(CallFailed):
        await patiently(ask, at_once)
