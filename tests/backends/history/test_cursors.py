"""A listing by cursor: read to its end, and doubted wherever rows may be missing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from relightflow.backends.history import cursors
from relightflow.backends.history.cursors import CursorPage, CursorReader, Fetch
from relightflow.backends.history.records import Span
from relightflow.model.failure import CallFailed

READER = CursorReader(lambda raw: raw[1], lambda raw: raw[0])
ROWS = [(f"row-{at}", float(at)) for at in range(9, 0, -1)]


def paged(rows: Sequence[Any], size: int, asked: list[str] | None = None) -> Fetch:
    async def fetch(cursor: str) -> CursorPage:
        if asked is not None:
            asked.append(cursor)
        at = int(cursor or 0)
        more = at + size < len(rows)
        return CursorPage(rows[at : at + size], str(at + size) if more else "")

    return fetch


async def test_every_page_is_read() -> None:
    assert await READER.once(paged(ROWS, 2)) == (ROWS, "")


async def test_it_ends_at_the_first_older_row_where_the_newest_come_first() -> None:
    asked: list[str] = []
    rows, doubt = await READER.once(paged(ROWS, 2, asked), since=6.0)
    assert ([row[0] for row in rows], doubt) == (
        ["row-9", "row-8", "row-7", "row-6", "row-5", "row-4"],
        "",
    )
    assert len(asked) == 3


@pytest.mark.parametrize("rows", [ROWS[::-1], [*ROWS[:3], ("untimed", None), *ROWS[3:]]])
async def test_rows_that_do_not_come_newest_first_are_read_to_the_end(rows: Any) -> None:
    assert (await READER.once(paged(rows, 2), since=8.0))[0] == rows


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ([*ROWS, ROWS[0]], ROWS),
        (ROWS, ROWS[1:]),
        (ROWS, [*ROWS, ("new", 5.0)]),
    ],
    ids=["a row twice", "one vanished", "one more"],
)
async def test_readings_that_differ_are_a_doubt(first: Any, again: Any) -> None:
    _, doubt = await READER.whole(paged(first, 4), paged(again, 3), Span(), -math.inf)
    assert doubt


async def test_what_is_not_of_the_span_may_come_and_go() -> None:
    more = [("new", 99.0), *ROWS]
    rows, doubt = await READER.whole(paged(ROWS, 4), paged(more, 4), Span(2.0, 10.0), -math.inf)
    assert (rows, doubt) == (more, "")


async def test_a_page_that_leads_to_itself_ends_the_reading() -> None:
    async def fetch(_: str) -> CursorPage:
        return CursorPage(ROWS[:1], "again")

    _, doubt = await READER.once(fetch)
    assert doubt


async def test_a_listing_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursors, "MOST_PAGES", 3)
    with pytest.raises(CallFailed, match="more pages than can be read"):
        await READER.once(paged(ROWS, 1))


def _before(size: int, rows: Sequence[Any] = ROWS, heard: bool = True) -> Callable[[float], Fetch]:
    return lambda moment: paged([row for row in rows if not heard or row[1] < moment], size)


def _losing(size: int, rows: Sequence[Any] = ROWS) -> Fetch:
    """The first row of every page but the first is lost."""
    whole = paged(rows, size)

    async def fetch(cursor: str) -> CursorPage:
        page = await whole(cursor)
        return CursorPage(page.rows[1:] if cursor else page.rows, page.following)

    return fetch


@pytest.mark.parametrize("size", [2, 3, 4, 8, 9, 100])
async def test_pages_of_one_size_are_read_from_another_row_on(size: int) -> None:
    rows, doubt = await READER.shifted(paged(ROWS, size), _before(size), Span(), -math.inf)
    assert (rows, doubt) == (ROWS, "")


@pytest.mark.parametrize("size", [2, 3, 4, 8])
async def test_a_row_that_is_lost_between_two_pages_is_a_doubt(size: int) -> None:
    for before in (_before(size), _before(size, heard=False)):
        _, doubt = await READER.shifted(_losing(size), before, Span(), -math.inf)
        assert doubt


async def test_pages_that_cannot_be_read_from_another_row_on_are_a_doubt() -> None:
    _, doubt = await READER.shifted(paged(ROWS, 3), _before(3, heard=False), Span(), -math.inf)
    assert doubt == "pages break at the same rows in both readings"
    _, doubt = await READER.shifted(paged(ROWS, 1), _before(1), Span(), -math.inf)
    assert doubt == "pages break at the same rows in both readings"
    untimed = [("untimed", None)] * 1 + ROWS
    _, doubt = await READER.shifted(paged(untimed, 2), _before(2), Span(), -math.inf)
    assert "no time" in doubt


async def test_the_newest_rows_are_read_twice_too() -> None:
    looks = iter([ROWS, ROWS[1:], ROWS[1:]])

    async def fetch(cursor: str) -> CursorPage:
        rows = ROWS if cursor else next(looks)
        return await paged(rows, 3)(cursor)

    _, doubt = await READER.shifted(fetch, _before(3), Span(), -math.inf)
    assert doubt == "two readings differ"
