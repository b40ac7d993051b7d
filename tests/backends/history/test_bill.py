"""The account of a period: every request once, at what its row says."""

from __future__ import annotations

from typing import Any

from relightflow.backends.history.bill import bill
from relightflow.backends.history.lookup import HistoryListing, at_once
from relightflow.backends.history.matching import HistoryRow


def _row(request_id: str, created: float | None, cost: int | None = 5) -> HistoryRow:
    return HistoryRow(request_id, "m", "COMPLETED", cost, created, None)


class _Records:
    rows = (
        _row("b", 20.0), _row("a", 10.0), _row("a", 10.0), _row("", 10.0), _row("late", 99.0),
        _row("untold", None, None),
    )  # fmt: skip

    async def between(self, *_: Any, **__: Any) -> HistoryListing:
        return HistoryListing(self.rows)


async def test_each_request_is_billed_once_in_order() -> None:
    records: Any = _Records()
    found = await bill(records, 5.0, 50.0, at_once, lambda row: row.cost)
    assert [(row.request_id, row.cost) for row in found] == [("untold", 0), ("a", 5), ("b", 5)]
