"""What every provider's history does alike: time spans, patient reading, one row by id, and the bill."""

from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.history.matching import HistoryRow, Matcher
from relightflow.backends.history.records import (
    EVER,
    HistoryListing,
    Records,
    Span,
    at_once,
    patiently,
)
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown
from tests.backends.history.test_matching import doubt

BUSY = Failure(FailureKind.UNAVAILABLE, "busy")


def _row(
    request_id: str, created: float | None, cost: int | None = 5, price: int = 0
) -> HistoryRow:
    return HistoryRow(request_id, "m", "COMPLETED", cost, created, None, price=price)


ROWS = (
    _row("b", 20.0), _row("a", 10.0), _row("a", 10.0), _row("", 10.0), _row("late", 99.0),
    _row("untold", None, None, 7),
)  # fmt: skip


class _Acme(Records[Any]):
    async def _one(self, request_id: str) -> HistoryRow | None:
        return _row("request-0002" if request_id == "request-0001" else request_id, 1.0)

    async def between(self, *_: Any, **__: Any) -> HistoryListing:
        return HistoryListing(ROWS)


ACME = _Acme(None, Matcher({}), True)  # type: ignore[arg-type]  # no API is asked


async def test_each_request_is_billed_once_in_order() -> None:
    found = await ACME.bill(5.0, 50.0, at_once)
    assert [(row.request_id, row.cost) for row in found] == [("untold", 7), ("a", 5), ("b", 5)]


async def test_a_row_of_another_request_is_none_and_an_unusable_id_is_never_asked_for() -> None:
    assert await ACME.by_id("request-0003")
    assert await ACME.by_id("request-0001") is None
    assert await ACME.by_id("../secret") is None


def test_a_call_goes_on_from_where_its_row_is() -> None:
    running = _row("request-0003", 1.0)
    assert isinstance(ACME.step(doubt(1), running), Accepted)
    done = HistoryRow("request-0003", "m", "COMPLETED", 5, 1.0, None, "https://e.example/1.png")
    step = ACME.step(doubt(1), done)
    assert isinstance(step, ResultKnown)
    assert (step.cost, step.details["model"]) == (5, doubt(1).model)


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
