"""Reads a paged listing whole, and says where rows may be missing. The fetching is handed in.

The provider documents neither how pages are counted, nor how many rows one holds, nor in which order
they come. So nothing is assumed: pages 0 and 1 are both asked for, a page size that was cut is taken
up, and the listing is read twice with pages of different sizes. Pages that overlap, leave rows out or
move while they are read make the two differ, or show a row twice.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from relightflow.backends.history.records import EVER, Span

PER_PAGE = 100
"""The most that may be asked for."""
_MOST_PAGES = 500
READINGS = 4
"""Until two in a row agree."""


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[object, ...]
    total: int | None = None
    """How many rows the listing has in all, where the provider says so."""


Fetch = Callable[[int, int], Awaitable[Page | None]]
"""(number, size) → the page; None where the provider has no such page."""
_Created = Callable[[object], float | None]
"""A raw row's time in Unix seconds, where it can be read."""
_Identity = Callable[[object], str]
"""What a raw row has in every reading, whatever becomes of its request meanwhile."""


@dataclass(frozen=True, slots=True)
class Listing:
    rows: tuple[object, ...]
    """Each once, in the order in which they came."""
    since: float
    """Rows from before this moment (Unix seconds) were not asked for."""
    doubt: str = ""
    """Why rows may be missing, in words; empty: nothing speaks for it."""
    size: int = PER_PAGE
    """Rows that a page really holds."""
    base: int = 1
    """The number of the first page."""


@dataclass(slots=True)
class _Pages:
    """What one reading has seen so far."""

    created: _Created
    rows: list[object] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    count: int = 0
    """Rows, those that came twice included."""
    total: int | None = None
    oldest: float = math.inf
    ordered: bool = True
    """Every row so far has a time, the newest first."""

    def add(self, page: Page) -> bool:
        """False: the page holds nothing new, so that pages do not lead on."""
        before = len(self.rows)
        self.total = page.total
        for row in page.rows:
            at = self.created(row)
            self.ordered = self.ordered and at is not None and at <= self.oldest
            self.oldest = self.oldest if at is None else min(at, self.oldest)
            self.count += 1
            key = repr(row)
            if key not in self.seen:
                self.seen.add(key)
                self.rows.append(row)
        return len(self.rows) > before

    def past(self, since: float) -> bool:
        """Whether every further row would be older than `since`."""
        return self.ordered and self.oldest < since

    def doubt(self) -> str:
        """What speaks against a listing that was read to its end."""
        if self.count > len(self.rows) and not self.ordered:
            return "a row came twice, so pages overlap or move"
        if self.total is not None and self.total not in (self.count, len(self.rows)):
            return f"they should be {self.total:,} and {len(self.rows):,} came"
        return ""


async def read_once(
    fetch: Fetch,
    created: _Created,
    since: float = -math.inf,
    size: int = PER_PAGE,
    base: int | None = None,
) -> Listing:
    """One reading, from the newest row to the first that is older than `since`, or to the end."""
    if base is None:
        base = await _first_page(fetch, size)
    pages = _Pages(created)
    for number in range(base, _MOST_PAGES):
        page = await fetch(number, size)
        if page is None or not page.rows:
            return Listing(tuple(pages.rows), -math.inf, pages.doubt(), size, base)
        if not pages.add(page):
            words = "the same page came again and again"
            return Listing(tuple(pages.rows), since, words, size, base)
        if pages.past(since):
            return Listing(tuple(pages.rows), since, "", size, base)
        if number == base and len(page.rows) < size and page.total != pages.count:
            # the last page, or pages hold less than was asked for, and then they may leave gaps
            found = await read_once(fetch, created, since, len(page.rows), base)
            if found.doubt or pages.seen <= {repr(row) for row in found.rows}:
                return found
            return replace(found, doubt="rows vanished between two readings")
    return Listing(tuple(pages.rows), since, "there are too many to read", size, base)


async def _first_page(fetch: Fetch, size: int) -> int:
    """Whether pages are counted from 0 or from 1. A server may give the first page for both."""
    zero, one = await fetch(0, size), await fetch(1, size)
    counted_from_zero = zero is not None and zero.rows and (one is None or zero.rows != one.rows)
    return 0 if counted_from_zero else 1


async def read_whole(
    fetch: Fetch, created: _Created, identity: _Identity, span: Span = EVER
) -> Listing:
    """Read until two readings in a row, with pages of different sizes, hold the same rows of `span`.
    Otherwise the listing has a `doubt`."""
    last = await read_once(fetch, created, span.since)
    for _ in range(READINGS - 1):
        size = max(1, last.size - max(1, last.size // 10))
        again = await read_once(fetch, created, span.since, size, last.base)
        kept = [{identity(r) for r in x.rows if span.holds(created(r))} for x in (last, again)]
        if kept[0] == kept[1] and not last.doubt and not again.doubt:
            return again
        last = again
    return replace(last, doubt=last.doubt or "two readings differ")
