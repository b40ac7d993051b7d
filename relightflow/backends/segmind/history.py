"""The provider's request history: read by id or as a listing, and what it says of unknown outcomes.

Free of charge and read-only. Envelope, paging, order and lag are not documented, so what the listing
does not hold proves something only where `absence` says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from relightflow.backends.history.bill import bill
from relightflow.backends.history.lookup import HistoryListing, Span, at_once, look_up, patiently
from relightflow.backends.history.matching import HistoryRow, Matcher
from relightflow.backends.http.response import Response, parsed, usable_id
from relightflow.backends.http.sanitize import shown
from relightflow.backends.segmind import rows
from relightflow.backends.segmind.hosts import SegmindApi
from relightflow.backends.segmind.listing import Page, read_once, read_whole
from relightflow.backends.segmind.models import MATCHER
from relightflow.backends.segmind.responses import checked
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import Evidence
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import BillRow, RecordsQuery, Retry

DAYS = 30
"""A window may span at most 31 days."""
_PAGE_CAP = 16 << 20
"""Bytes: a hundred rows, each with its inputs."""
_DOING = "reading the request history"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SegmindHistory:
    api: SegmindApi
    forgets: bool
    """Whether old rows may be missing; see `absence.Reading`."""
    matcher: Matcher = field(default=MATCHER, kw_only=True)
    """Tells which calls are in it."""

    def step(self, attempt: Attempt, row: HistoryRow) -> Step | None:
        """See `relightflow.backends.history.lookup.Records`."""
        return _step_of(attempt, row)

    def why(self, row: HistoryRow) -> str:
        """Why a row's request failed, unbilled, in words."""
        return _why(row)

    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        """See `relightflow.plugins.backend.HasHistory`. Raises `CallFailed`."""
        return await look_up(self, query, retry)

    async def by_id(self, request_id: str, retry: Retry = at_once) -> HistoryRow | None:
        """The row of one request of any age; None where there is none. Raises `CallFailed`."""
        if not usable_id(request_id):
            return None
        url = f"{self.api.hosts.request_history}/{request_id}"

        async def ask() -> HistoryRow | None:
            answer = await self.api.read("GET", url, _DOING, cap=_PAGE_CAP)
            if answer.status == 404:
                return None
            return rows.single(parsed(checked(answer, _DOING).body))

        found = await patiently(ask, retry)
        return found if found and found.request_id == request_id else None

    async def between(self, span: Span, retry: Retry, whole: bool = True) -> HistoryListing:
        """Every row of `span` (Unix seconds). `whole`: read until nothing can be missing, or say why
        something may be; else once. Raises `CallFailed`."""
        found: list[HistoryRow] = []
        since, doubt = -math.inf, ""
        for first, last in reversed(windows(span.since, span.until)):
            fetch = _Window(self.api, first, last, retry).page
            if whole:
                listing = await read_whole(fetch, rows.created, rows.identity, span)
            else:
                listing = await read_once(fetch, rows.created, span.since)
            found += [rows.row(raw) for raw in listing.rows]
            since, doubt = max(since, listing.since), doubt or listing.doubt
        return HistoryListing(tuple(found), since, doubt)

    async def server_time(self, retry: Retry) -> float | None:
        """The time of the host that calls go to, which INTENT was dated by."""
        if self.api.server_time() is None:

            async def ask() -> Response:
                return await self.api.read("GET", self.api.hosts.credits, _DOING)

            await patiently(ask, retry)
        return self.api.server_time()

    async def bill(self, since: float, until: float, retry: Retry) -> tuple[BillRow, ...]:
        """Every request from `since` to `until`, once, oldest first. Raises `CallFailed`."""
        return await bill(self, since, until, retry, lambda row: row.cost)


@dataclass(slots=True)
class _Window:
    """The listing of some days, by page."""

    api: SegmindApi
    first: date
    last: date
    retry: Retry
    sort: bool = True
    """Whether the newest row is asked to come first; a provider that refuses that is not asked."""

    async def page(self, number: int, size: int) -> Page | None:
        """See `listing.Fetch`. Raises `CallFailed`."""

        async def ask() -> Page | None:
            return self._read(await self._ask(number, size), number)

        return await patiently(ask, self.retry)

    async def _ask(self, number: int, size: int) -> Response:
        params = {
            "page": str(number),
            "per_page": str(size),
            "from_date": self.first.isoformat(),
            "to_date": self.last.isoformat(),
        }
        if self.sort:
            params |= {"sort_by": "model_created", "sort_order": "desc"}
        url = self.api.hosts.request_history
        answer = await self.api.read("GET", url, _DOING, params=params, cap=_PAGE_CAP)
        if self.sort and number == 1 and answer.status in (400, 406, 422):
            self.sort = False
            return await self._ask(number, size)
        return answer

    def _read(self, answer: Response, number: int) -> Page | None:
        if number != 1 and answer.status in (400, 404, 406, 416, 422):
            return None  # before the first page, or past the last
        if number == 0 and answer.status >= 500:
            return None  # a server that cannot count from 0
        found = rows.page(parsed(checked(answer, _DOING).body))
        if found is None:
            words = "Segmind's request history has an unknown format"
            raise CallFailed(Failure(FailureKind.UNAVAILABLE, words, status=answer.status))
        return found


def windows(since: float, until: float) -> list[tuple[date, date]]:
    """Days (UTC, both ends included) that cover the period and a day on either side."""
    first = datetime.fromtimestamp(since, UTC).date() - timedelta(days=1)
    end = datetime.fromtimestamp(until, UTC).date() + timedelta(days=1)
    found = []
    while first <= end:
        last = min(end, first + timedelta(days=DAYS - 1))
        found.append((first, last))
        first = last + timedelta(days=1)
    return found


def known(request_id: str, own: HistoryRow, details: FrozenMap) -> ResultKnown | None:
    """The step of a completed row; None where it is not, or names no result."""
    if own.status != "COMPLETED" or not own.url:
        return None
    return ResultKnown(request_id, own.url, own.cost, details)


def _step_of(attempt: Attempt, own: HistoryRow) -> Step | None:
    """The step that an attempt had really reached; None: nothing that one could go on from."""
    if own.status == "FAILED":
        return None
    details = FrozenMap(
        {"api": "v2", "submitted": attempt.created, **attempt.details, "model": attempt.model}
    )
    if step := known(own.request_id, own, details):
        return step
    # a v1 request cannot be polled: it stays in doubt until its row is complete
    return Accepted(own.request_id, details) if details["api"] == "v2" else None


def failure_of(own: HistoryRow) -> Failure:
    """A failed row; billed where the records charge for it all the same."""
    if not own.cost:
        return Failure(FailureKind.JOB_FAILED, _why(own), request_id=own.request_id)
    words = f"Segmind ran the call and it failed ({shown(own.error) or 'no reason given'}), and was billed"
    return Failure(
        FailureKind.JOB_FAILED, words, Billed.YES, cost=own.cost, request_id=own.request_id
    )


def _why(own: HistoryRow) -> str:
    return f"Segmind accepted the call and it failed, unbilled: {shown(own.error) or 'no reason given'}"
