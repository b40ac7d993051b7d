"""The provider's own account of a period, from the rows of its history."""

from __future__ import annotations

from collections.abc import Callable

from relightflow.backends.history.lookup import Records, Span
from relightflow.backends.history.matching import HistoryRow
from relightflow.model.money import Micros
from relightflow.plugins.backend import BillRow, Retry


async def bill(
    records: Records,
    since: float,
    until: float,
    retry: Retry,
    cost: Callable[[HistoryRow], Micros | None],
) -> tuple[BillRow, ...]:
    """Every request from `since` to `until` (Unix seconds), once, oldest first. `cost`: what a row says, or
    stands for. Raises `CallFailed`."""
    found = await records.between(Span(since, until), retry, whole=False)
    # a request with several outputs may have a row for each, and every row bears the whole cost
    once = {row.request_id: row for row in found.rows if row.request_id}
    billed = [
        BillRow(row.request_id, row.model, row.status, cost(row) or 0, row.created or since)
        for row in once.values()
        if row.created is None or since <= row.created <= until
    ]
    return tuple(sorted(billed, key=lambda b: (b.created, b.request_id)))
