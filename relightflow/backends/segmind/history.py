"""The provider's request history: read by id or as a listing, and what it says of unknown outcomes.

Free of charge and read-only. Envelope, paging, order and lag are not documented, so what the listing
does not hold proves something only where `absence` says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from relightflow.backends.history.matching import HistoryRow
from relightflow.backends.history.records import HistoryListing, Records, Span, patiently
from relightflow.backends.http.client import Api
from relightflow.backends.http.response import Response, parsed
from relightflow.backends.segmind import rows
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.backends.segmind.listing import Page, read_once, read_whole
from relightflow.backends.segmind.responses import VERDICTS, checked
from relightflow.model.attempt import Attempt
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Retry

DAYS = 30
"""A window may span at most 31 days."""
_PAGE_CAP = 16 << 20
"""Bytes: a hundred rows, each with its inputs."""
_DOING = "reading the request history"


class SegmindHistory(Records[SegmindHosts]):
    def step(self, attempt: Attempt, row: HistoryRow) -> Step | None:
        """A v1 request cannot be polled: it stays in doubt until its row is complete."""
        details = FrozenMap({"api": "v2", **attempt.details})
        found = super().step(replace(attempt, details=details), row)
        return None if isinstance(found, Accepted) and details["api"] != "v2" else found

    async def _one(self, request_id: str) -> HistoryRow | None:
        url = f"{self.api.hosts.request_history}/{request_id}"
        answer = await self.api.read("GET", url, _DOING, cap=_PAGE_CAP)
        if answer.status == 404:
            return None
        return rows.single(parsed(checked(answer, _DOING).body))

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


@dataclass(slots=True)
class _Window:
    """The listing of some days, by page."""

    api: Api[SegmindHosts]
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
            raise CallFailed(VERDICTS.unreadable(answer, _DOING))
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


def failure_of(own: HistoryRow) -> Failure:
    """A failed row; billed where the records charge for it all the same."""
    billed = Billed.YES if own.cost else Billed.NO
    return Failure(
        FailureKind.JOB_FAILED, own.error, billed, cost=own.cost or None, request_id=own.request_id
    )
