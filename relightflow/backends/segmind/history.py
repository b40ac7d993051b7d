"""The provider's request history: reads it whole, by page or by id, and says what became of attempts.

Free of charge and read-only. Envelope and paging are not documented, so a listing that cannot be
shown to be whole proves presence, never absence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from relightflow.backends.segmind import answers, matching, rows
from relightflow.backends.segmind.api import Api, checked
from relightflow.backends.segmind.rows import HistoryRow
from relightflow.backends.segmind.sanitize import shown
from relightflow.model.attempt import Attempt
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import BillRow, Evidence

PER_PAGE = 100
MOST_PAGES = 500
DAYS = 30
"""A window may span at most 31 days."""
PAGE_CAP = 16 << 20
"""Bytes: a hundred rows, each with its inputs."""
DOING = "reading the request history"


@dataclass(frozen=True, slots=True)
class Listing:
    rows: tuple[HistoryRow, ...]
    complete: bool
    """False where the provider's paging left a doubt."""


@dataclass(frozen=True, slots=True)
class History:
    api: Api

    async def by_id(self, request_id: str) -> HistoryRow | None:
        """The row of one request of any age; None where there is none. Raises `CallFailed`."""
        if not answers.usable_id(request_id):
            return None
        url = f"{self.api.hosts.request_history}/{request_id}"
        answer = await self.api.read("GET", url, DOING, cap=PAGE_CAP)
        if answer.status == 404:
            return None
        found = rows.single(answers.parsed(checked(answer, DOING).body))
        return found if found and found.request_id == request_id else None

    async def between(self, since: float, until: float) -> Listing:
        """Every row of the days from `since` to `until` (Unix seconds). Raises `CallFailed`."""
        found: list[HistoryRow] = []
        complete = True
        for first, last in windows(since, until):
            listing = await self._window(first, last)
            found += listing.rows
            complete = complete and listing.complete
        return Listing(tuple(found), complete)

    async def _window(self, first: date, last: date) -> Listing:
        found: list[HistoryRow] = []
        seen: set[str] = set()
        for number in range(1, MOST_PAGES + 1):
            raw = await self._page(number, first, last)
            fresh = [r for r in raw if repr(r) not in seen]
            if not fresh:
                # an empty page is the end; a page that was here before means that paging is broken
                return Listing(tuple(found), complete=not raw or len(raw) < PER_PAGE)
            seen.update(repr(r) for r in fresh)
            found += [rows.row(r) for r in fresh]
        return Listing(tuple(found), complete=False)

    async def _page(self, number: int, first: date, last: date) -> list[object]:
        params = {
            "page": str(number),
            "per_page": str(PER_PAGE),
            "from_date": first.isoformat(),
            "to_date": last.isoformat(),
        }
        url = self.api.hosts.request_history
        answer = await self.api.read("GET", url, DOING, params=params, cap=PAGE_CAP)
        if answer.status == 404 and number > 1:
            return []  # past the last page
        found = rows.page(answers.parsed(checked(answer, DOING).body))
        if found is None:
            words = "Segmind's request history comes in a form that we do not know"
            raise CallFailed(Failure(FailureKind.UNAVAILABLE, words, status=answer.status))
        return found

    async def look_up(
        self, doubts: Sequence[Attempt], known_ids: frozenset[str], settled_before: float
    ) -> Evidence:
        """See `relightflow.plugins.backend.HasHistory`. Raises `CallFailed`."""
        found: list[tuple[Attempt, HistoryRow]] = []
        nameless: list[Attempt] = []
        for attempt in doubts:
            if not attempt.request_id:
                nameless.append(attempt)
            elif own := await self.by_id(attempt.request_id):
                found.append((attempt, own))
        failed = [(a.id, _why(own)) for a, own in found if own.status == "FAILED"]
        absent: list[int] = []
        if nameless:
            matches = await self._matches(nameless, known_ids)
            by_number = {a.id: a for a in nameless}
            settled = {a.id for a in nameless if a.created < settled_before}
            found += [(by_number[number], own) for number, own in matches.found.items()]
            failed += [(n, _why(own)) for n, own in matches.failed.items() if n in settled]
            absent = [n for n in matches.absent if n in settled]
        adopted = [(a.id, step) for a, own in found if (step := _step(a, own)) is not None]
        return Evidence(tuple(adopted), tuple(failed), tuple(absent))

    async def _matches(
        self, doubts: Sequence[Attempt], known_ids: frozenset[str]
    ) -> matching.MatchResult:
        since = min(a.created for a in doubts) - matching.BEFORE
        until = max(a.created for a in doubts) + matching.AFTER
        listing = await self.between(since, until)
        unowned = {r.request_id: r for r in listing.rows if r.request_id}
        unread = [r for r in listing.rows if not r.request_id]
        free = [r for number, r in unowned.items() if number not in known_ids]
        return matching.match(doubts, [*free, *unread], listing.complete)

    async def bill(self, since: float, until: float) -> tuple[BillRow, ...]:
        """Every request from `since` to `until`, once, oldest first. Raises `CallFailed`."""
        listing = await self.between(since, until)
        # a request with several outputs has a row for each, and every row bears the whole cost
        once = {r.request_id: r for r in listing.rows if r.request_id}
        billed = [
            BillRow(r.request_id, r.model, r.status, r.cost or 0, r.created or since)
            for r in once.values()
            if r.created is None or since <= r.created <= until
        ]
        return tuple(sorted(billed, key=lambda b: (b.created, b.request_id)))


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


def _step(attempt: Attempt, own: HistoryRow) -> Step | None:
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


def _why(own: HistoryRow) -> str:
    return f"Segmind took it and it failed, unbilled: {shown(own.error) or 'no reason given'}"


def failed(own: HistoryRow) -> Failure:
    return Failure(FailureKind.JOB_FAILED, _why(own), request_id=own.request_id)
