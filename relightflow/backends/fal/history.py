"""fal's request history: what became of calls whose answer got lost. Free of charge and read-only.

Source: fal's platform API, requests by endpoint. It shows each request with its inputs; whether it shows
one that still waits or runs is not documented, so a call counts as never taken only after the time in
which it would have started and ended. What a request cost is not shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from relightflow.backends.fal import models, responses
from relightflow.backends.fal.hosts import FalHosts
from relightflow.backends.fal.queue import image_url
from relightflow.backends.fal.responses import VERDICTS
from relightflow.backends.history.cursors import CursorPage, CursorReader, Fetch
from relightflow.backends.history.matching import HistoryRow
from relightflow.backends.history.records import HistoryListing, Records, Span, patiently
from relightflow.backends.history.rows import json_object, moment, text
from relightflow.backends.http.response import mapping, usable_id
from relightflow.backends.table import row_of
from relightflow.model.failure import CallFailed
from relightflow.plugins.backend import Retry

_PAGE_CAP = 16 << 20
_SIZES = (100, 90)
"""Of the pages of two readings: what pages leave out or show twice makes them differ."""
_DAY = timedelta(days=1)
_DOING = "reading the request history"


class FalHistory(Records[FalHosts]):
    async def _one(self, request_id: str) -> HistoryRow | None:
        for row in models.TABLE:
            params = {"endpoint_id": row.model.name, "request_id": request_id, "expand": "payloads"}
            rows, _ = await self._page(params)
            own = next(
                (found for raw in rows if (found := _row(raw)).request_id == request_id), None
            )
            if own:
                return own
        return None

    async def between(self, span: Span, retry: Retry, whole: bool = True) -> HistoryListing:
        """Every row of `span`. `whole`: read twice and alike, or a doubt says why not."""
        found: list[HistoryRow] = []
        doubt = ""
        for model in models.MODELS:
            first, again = (self._pages(model.name, span, size, retry) for size in _SIZES)
            if whole:
                rows, why = await _READER.whole(first, again, span, -math.inf)
            else:
                rows, why = await _READER.once(first)
            doubt = doubt or why
            found += map(_row, rows)
        return HistoryListing(tuple(found), span.since - _DAY.total_seconds(), doubt)

    def _pages(self, model: str, span: Span, size: int, retry: Retry) -> Fetch:
        """The listing of one model, from a day before `span` to a day after it."""
        params = {
            "endpoint_id": model,
            "start": _stamp(span.since, -_DAY),
            "limit": str(size),
            "expand": "payloads",
        }
        if math.isfinite(span.until):
            params["end"] = _stamp(span.until, _DAY)

        async def fetch(cursor: str) -> CursorPage:
            asked = params | ({"cursor": cursor} if cursor else {})
            return CursorPage(*await patiently(partial(self._page, asked), retry))

        return fetch

    async def _page(self, params: Mapping[str, str]) -> tuple[list[Any], str]:
        """Raw rows and the cursor of the next page; empty: this is the last. Raises `CallFailed`."""
        url = self.api.hosts.history
        answer = await self.api.read("GET", url, _DOING, params=params, cap=_PAGE_CAP)
        found = mapping(VERDICTS.checked(answer, _DOING).body)
        items, more, cursor = (found.get(n) for n in ("items", "has_more", "next_cursor"))
        if not isinstance(items, list) or (more and not isinstance(cursor, str)):
            raise CallFailed(VERDICTS.unreadable(answer, _DOING))
        return items, cursor if isinstance(cursor, str) and more is not False else ""


def _row(raw: Any) -> HistoryRow:
    """One raw row; what is missing or odd is left empty. A status from 500 on is not billed, one from 400 on may
    be. No cost is shown: what succeeded counts at the list price, for a model that is charged by size at that
    of one megapixel."""
    raw = raw if isinstance(raw, dict) else {}
    code = raw.get("status_code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else 0
    output = json_object(raw.get("json_output")) or {}
    status = {2: "COMPLETED", 4: "REFUSED", 5: "FAILED"}.get(code // 100, "IN_PROGRESS")
    why = responses.detail_of(output) or f"status {code}"
    model = text(raw.get("endpoint_id"))
    known = row_of(models.TABLE, model)
    price = known.model.price if known and status == "COMPLETED" else None
    return HistoryRow(
        request_id=usable_id(raw.get("request_id")),
        model=model,
        status=status,
        cost=None,
        created=_sent(raw),
        inputs=json_object(raw.get("json_input")),
        url=image_url(output) if status == "COMPLETED" else "",
        error=f"fal accepted the call and it failed, unbilled: {why}" if status == "FAILED" else "",
        price=price.high if price else 0,
        undecided=f"fal refused the call after it was accepted ({why}), and may have billed that"
        if status == "REFUSED"
        else "",
    )


def _sent(raw: Any) -> float | None:
    """When a raw row's request was sent, Unix seconds."""
    return moment(raw.get("sent_at")) if isinstance(raw, dict) else None


def _identity(raw: Any) -> str:
    """What stays the same of a raw row while its request goes on."""
    row = _row(raw)
    return repr((row.request_id or raw, row.model))


_READER = CursorReader(_sent, _identity)


def _stamp(at: float, more: timedelta) -> str:
    return (datetime.fromtimestamp(max(0.0, at), UTC) + more).strftime("%Y-%m-%dT%H:%M:%SZ")
