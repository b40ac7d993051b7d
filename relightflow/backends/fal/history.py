"""fal's request history: what became of calls whose answer got lost. Free of charge and read-only.

Source: fal's platform API, requests by endpoint. It shows each request with its inputs; whether it shows
one that still waits or runs is not documented, so a call counts as never taken only after the time in
which it would have started and ended. What a request cost is not shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from relightflow.backends.fal import models, responses
from relightflow.backends.fal.hosts import FalApi
from relightflow.backends.fal.queue import image_url
from relightflow.backends.history.bill import bill
from relightflow.backends.history.cursors import CursorPage, CursorReader, Fetch
from relightflow.backends.history.lookup import HistoryListing, Span, at_once, patiently
from relightflow.backends.history.matching import HistoryRow, Matcher
from relightflow.backends.history.rows import json_object, moment
from relightflow.backends.http.response import mapping, usable_id
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import Needs, Undecided
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import BillRow, Retry

_PAGE_CAP = 16 << 20
_SIZES = (100, 90)
"""Of the pages of two readings: what pages leave out or show twice makes them differ."""
_DAY = timedelta(days=1)
_DOING = "reading the request history"
FAILED, REFUSED = "FAILED", "REFUSED"
"""A status from 500 on, which fal does not bill; one from 400 on, which it may bill."""


@dataclass(frozen=True, slots=True)
class FalHistory:
    """Implements `relightflow.backends.history.lookup.Records`."""

    api: FalApi
    forgets: bool
    """Whether old rows may be missing."""

    @property
    def matcher(self) -> Matcher:
        return models.MATCHER

    async def by_id(self, request_id: str, retry: Retry = at_once) -> HistoryRow | None:
        """The row of one request; None where there is none. Raises `CallFailed`."""
        if not usable_id(request_id):
            return None
        for model in models.MODELS:
            params = {"endpoint_id": model.name, "request_id": request_id, "expand": "payloads"}
            rows, _ = await self._page(params, retry)
            own = next((row for raw in rows if (row := _row(raw)).request_id == request_id), None)
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
            return CursorPage(*await self._page(asked, retry))

        return fetch

    async def _page(self, params: Mapping[str, str], retry: Retry) -> tuple[list[Any], str]:
        """Raw rows and the cursor of the next page; empty: this is the last. Raises `CallFailed`."""

        async def ask() -> tuple[list[Any], str]:
            answer = await self.api.read(
                "GET", self.api.hosts.history, _DOING, params=params, cap=_PAGE_CAP
            )
            if answer.status != 200:
                raise CallFailed(responses.of_read(answer, _DOING))
            found = mapping(answer.body)
            items, more, cursor = (found.get(n) for n in ("items", "has_more", "next_cursor"))
            if not isinstance(items, list) or (more and not isinstance(cursor, str)):
                words = "fal's request history has an unknown format"
                raise CallFailed(Failure(FailureKind.UNAVAILABLE, words, status=answer.status))
            return items, cursor if isinstance(cursor, str) and more is not False else ""

        return await patiently(ask, retry)

    async def server_time(self, retry: Retry) -> float | None:
        """The time of the host that calls go to. Raises `CallFailed`."""
        if self.api.server_time() is None:

            async def ask() -> None:
                await self.api.read("GET", f"{self.api.hosts.api}/", "asking fal for its time")

            await patiently(ask, retry)
        return self.api.server_time()

    def step(self, attempt: Attempt, row: HistoryRow) -> Step | Undecided | None:
        """The step that an attempt had really reached."""
        if row.status == REFUSED:
            why = row.error or "no reason given"
            words = f"fal refused the call after it was accepted ({why}), and may have billed that"
            return Undecided(Needs.PERSON, words)
        details = FrozenMap(
            {**attempt.details, "model": attempt.model, "submitted": attempt.created}
        )
        if row.status == "COMPLETED" and row.url:
            return ResultKnown(row.request_id, row.url, None, details)
        return Accepted(row.request_id, details)

    def why(self, row: HistoryRow) -> str:
        """Why a row's request failed, unbilled, in words."""
        return f"fal accepted the call and it failed, unbilled: {row.error or 'no reason given'}"

    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        """Every request in the period. fal shows no costs: what succeeded counts at the list price, and
        for a model that is charged by size at the price of one megapixel."""
        return await bill(self, since, until, retry, _price)


def _price(row: HistoryRow) -> int:
    model = models.model(row.model)
    return model.price.high if model and model.price and row.status == "COMPLETED" else 0


def _row(raw: Any) -> HistoryRow:
    """One raw row; what is missing or odd is left empty."""
    raw = raw if isinstance(raw, dict) else {}
    code = raw.get("status_code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else 0
    inputs = json_object(raw.get("json_input"))
    output = json_object(raw.get("json_output")) or {}
    status = {2: "COMPLETED", 4: REFUSED, 5: FAILED}.get(code // 100, "IN_PROGRESS")
    error = responses.detail_of(output) if code >= 400 else ""
    return HistoryRow(
        request_id=usable_id(raw.get("request_id")),
        model=raw.get("endpoint_id") if isinstance(raw.get("endpoint_id"), str) else "",
        status=status,
        cost=None,
        created=_sent(raw),
        inputs=inputs,
        url=image_url(output) if status == "COMPLETED" else "",
        error=error or (f"status {code}" if code >= 400 else ""),
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
