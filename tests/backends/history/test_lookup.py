"""Settling doubts by records is tested over simulated ones in test_absence.py, over the emulator's in
segmind/test_history.py; here is what holds for any provider's."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from relightflow.backends.history.lookup import look_up
from relightflow.backends.history.matching import Matcher
from relightflow.backends.history.records import HistoryListing, Span, at_once
from relightflow.backends.segmind.models import TABLE
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import SERVER_TIME
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import RecordsQuery
from tests.backends.history.test_matching import AT, doubt, row


class _Records:
    """A list without the doubtful call: whole it proves nothing, and read in part it does not say so."""

    matcher = Matcher.of(TABLE)
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
