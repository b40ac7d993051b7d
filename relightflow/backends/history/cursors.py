"""Reads a listing whose pages follow one another by cursor, and says where rows may be missing.

The fetching is handed in. A cursor's pages cannot be asked for in another size everywhere, so the listing is
read twice: rows that come and go, or come twice in one reading, make a doubt.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from relightflow.backends.history.lookup import Span
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
        rows: list[Any] = []
        seen: set[str] = set()
        cursors = {""}
        cursor, doubt, last, ordered = "", "", math.inf, True
        for _ in range(MOST_PAGES):
            page = await fetch(cursor)
            for raw in page.rows:
                at, who = self.created(raw), self.identity(raw)
                ordered = ordered and at is not None and at <= last
                last = last if at is None else min(at, last)
                if who in seen:
                    doubt = "a row came twice, so pages overlap or move"
                    continue
                seen.add(who)
                rows.append(raw)
            if not page.following or (ordered and last < since):
                return rows, doubt
            if page.following in cursors:
                return rows, "the same page came again and again"
            cursors.add(page.following)
            cursor = page.following
        words = "the provider's records have more pages than can be read"
        raise CallFailed(Failure(FailureKind.UNAVAILABLE, words))

    async def whole(
        self, fetch: Fetch, again: Fetch, span: Span, since: float
    ) -> tuple[list[Any], str]:
        """The same, read twice (with `fetch`, then with `again`); rows of `span` must be in both."""
        readings = [await self.once(fetch, since), await self.once(again, since)]
        kept = [
            {self.identity(raw) for raw in rows if span.holds(self.created(raw))}
            for rows, _ in readings
        ]
        rows, doubt = readings[1]
        differ = "" if kept[0] == kept[1] else "two readings differ"
        return rows, readings[0][1] or doubt or differ
