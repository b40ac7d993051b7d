"""Reads a listing whose pages follow one another by cursor, and says where rows may be missing.

The fetching is handed in. The listing is read twice, with pages that break at other rows: rows that come and
go, come twice in one reading, or are lost between two pages, make a doubt.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relightflow.backends.history.records import Span
from relightflow.model.failure import CallFailed, Failure, FailureKind

MOST_PAGES = 500


@dataclass(frozen=True, slots=True)
class CursorPage:
    rows: Sequence[Any]
    """As they came."""
    following: str = ""
    """Cursor of the next page; empty: this is the last."""


Fetch = Callable[[str], Awaitable[CursorPage]]
"""Cursor (empty: the first page) → the page. Raises `CallFailed`."""


@dataclass(slots=True)
class _CursorReading:
    """The pages, one after the other."""

    rows: list[Any] = field(default_factory=list)
    """Each once."""
    doubt: str = ""
    breaks: set[tuple[str, str]] = field(default_factory=set)
    """The last row of a page and the first of the next."""
    size: int = 0
    """Rows of the first page."""


@dataclass(frozen=True, slots=True)
class CursorReader:
    """How one provider's rows are told apart."""

    created: Callable[[Any], float | None]
    """A raw row's time in Unix seconds, where it can be read."""
    identity: Callable[[Any], str]
    """What stays the same of a raw row while its request goes on."""

    async def once(self, fetch: Fetch, since: float = -math.inf) -> tuple[list[Any], str]:
        """(the rows, why some may be missing): to the end, or to the first row older than `since` where all
        so far came newest first. Raises `CallFailed`."""
        found = await self._read(fetch, since)
        return found.rows, found.doubt

    async def whole(
        self, fetch: Fetch, again: Fetch, span: Span, since: float
    ) -> tuple[list[Any], str]:
        """The same, read twice (with `fetch`, then with `again`, of pages of another size); rows of `span`
        must be in both."""
        first, second = await self._read(fetch, since), await self._read(again, since)
        return second.rows, self._doubt(first, second, span)

    async def shifted(
        self, fetch: Fetch, before: Callable[[float], Fetch], span: Span, since: float
    ) -> tuple[list[Any], str]:
        """The same where pages have one size: what several pages hold is read again from the middle of the
        first one on, so that they break at other rows. A row that is lost between two pages is in the other
        reading; where pages break at the same rows again, that is a doubt.

        `before`: the rows that are older than a moment (Unix seconds).
        """
        first = await self._read(fetch, since)
        if not first.breaks:
            again = await self._read(fetch, since)
            return again.rows, self._doubt(first, again, span)
        middle = self.created(first.rows[(first.size - 1) // 2])
        if middle is None:
            return first.rows, "a row has no time, so pages cannot be read in two ways"
        second = await self._read(before(middle), since)
        newest = await fetch("")
        seen = {self.identity(raw) for raw in newest.rows}
        fresh = [raw for raw in first.rows[: first.size] if not self._older(raw, middle)]
        if not {self.identity(raw) for raw in fresh} <= seen:
            return first.rows, "two readings differ"
        if first.breaks & second.breaks:
            return first.rows, "pages break at the same rows in both readings"
        older = replace(first, rows=[raw for raw in first.rows if self._older(raw, middle)])
        rest = replace(second, rows=[raw for raw in second.rows if self._older(raw, middle)])
        return first.rows, self._doubt(older, rest, span)

    def _older(self, raw: Any, than: float) -> bool:
        """A row without a time is anywhere."""
        at = self.created(raw)
        return at is None or at < than

    def _doubt(self, first: _CursorReading, second: _CursorReading, span: Span) -> str:
        kept = [
            {self.identity(raw) for raw in reading.rows if span.holds(self.created(raw))}
            for reading in (first, second)
        ]
        differ = "" if kept[0] == kept[1] else "two readings differ"
        return first.doubt or second.doubt or differ

    async def _read(self, fetch: Fetch, since: float) -> _CursorReading:
        found = _CursorReading()
        seen: set[str] = set()
        cursors = {""}
        cursor, last, ordered = "", math.inf, True
        for _ in range(MOST_PAGES):
            page = await fetch(cursor)
            if found.rows:
                first = self.identity(page.rows[0]) if page.rows else ""
                found.breaks.add((self.identity(found.rows[-1]), first))
            found.size = found.size or len(page.rows)
            for raw in page.rows:
                at, who = self.created(raw), self.identity(raw)
                ordered = ordered and at is not None and at <= last
                last = last if at is None else min(at, last)
                if who in seen:
                    found.doubt = "a row came twice, so pages overlap or move"
                    continue
                seen.add(who)
                found.rows.append(raw)
            if not page.following or (ordered and last < since):
                return found
            if page.following in cursors:
                found.doubt = "the same page came again and again"
                return found
            cursors.add(page.following)
            cursor = page.following
        words = "the provider's records have more pages than can be read"
        raise CallFailed(Failure(FailureKind.UNAVAILABLE, words))
