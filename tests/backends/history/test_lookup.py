"""Settling doubts by records is tested over simulated ones in test_absence.py, over the emulator's in
segmind/test_history.py; here is what holds for any provider's."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from relightflow.backends.history.lookup import (
    EVER,
    HistoryListing,
    Span,
    at_once,
    look_up,
    patiently,
)
from relightflow.backends.segmind.models import MATCHER
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import SERVER_TIME
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import RecordsQuery
from tests.backends.history.test_matching import AT, doubt, row

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


class _Records:
    """A list without the doubtful call: whole it proves nothing, and read in part it does not say so."""

    matcher = MATCHER
    forgets = False

    def __init__(self, now: float) -> None:
        self.now = now

    async def by_id(self, *_: Any) -> None:
        return None

    async def between(self, _: Span, __: Any, whole: bool) -> HistoryListing:
        rows = (row(1, AT - 60), row(3, AT + 60))
        return HistoryListing(rows, -math.inf, "two readings differ" if whole else "")

    async def server_time(self, _: Any) -> float:
        return self.now


@pytest.mark.parametrize("left", [-5.0, -0.5, 0.0, 0.5, 0.9, 1.0, 1.1, 5.0])
async def test_only_what_was_read_whole_makes_a_call_absent(left: float) -> None:
    """Also in the second before its time has come: the provider's time is known to no more than that."""

    def made(number: int, at: float, request_id: str = "") -> Attempt:
        told = doubt(number, at)
        return replace(
            told, request_id=request_id, details=FrozenMap({**told.details, SERVER_TIME: at})
        )

    known = (made(1, AT - 60, "request-0001"), made(3, AT + 60, "request-0003"))
    query = RecordsQuery((made(2, AT),), known, frozenset(k.request_id for k in known), 600.0)
    records: Any = _Records(AT + 600.0 - left)
    found = await look_up(records, query, at_once)
    assert not found.absent
    assert [number for number, _ in found.undecided] == [2]
