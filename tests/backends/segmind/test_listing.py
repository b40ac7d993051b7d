"""A row that is left out in silence may be bought again: what a listing must be to be believed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.backends.history.records import EVER, Span
from relightflow.backends.segmind.listing import (
    PER_PAGE,
    READINGS,
    Listing,
    Page,
    read_once,
    read_whole,
)


def created(row: object) -> float | None:
    assert isinstance(row, tuple)
    at: float | None = row[1]
    return at


@dataclass
class Server:
    """A listing of `count` rows, newest first, one a second; `fault` may spoil a page."""

    count: int
    most: int = 100
    """Rows that a page holds at most."""
    base: int = 1
    total: bool = False
    offset_as_asked: bool = False
    """Pages are cut to `most` rows, and begin where pages of the asked size would."""
    fault: Callable[[Server, list[tuple[int, float]], int], list[tuple[int, float]]] | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def fetch(self, number: int, size: int) -> Page | None:
        self.asked.append((number, size))
        rows = [(n, float(n)) for n in reversed(range(self.count))]
        if self.fault:
            rows = self.fault(self, rows, number)
        held = min(size, self.most)
        first = (number - self.base) * (size if self.offset_as_asked else held)
        if first < 0:
            return None
        return Page(tuple(rows[first : first + held]), len(rows) if self.total else None)

    async def whole(self, span: Span = EVER) -> Listing:
        return await read_whole(self.fetch, created, repr, span)


@given(
    st.integers(0, 450),
    st.sampled_from([1, 7, 20, 99, 100]),
    st.sampled_from([0, 1]),
    st.booleans(),
)
async def test_an_honest_listing_is_read_whole_however_it_is_paged(
    count: int, most: int, base: int, total: bool
) -> None:
    if count / most > 300:
        return  # more pages than are read
    listing = await Server(count, most, base, total).whole()
    assert (listing.doubt, len(listing.rows)) == ("", count)


@given(st.integers(1, 450), st.sampled_from([3, 20, 50]), st.sampled_from([0, 1]), st.booleans())
async def test_pages_that_leave_gaps_are_noticed(
    count: int, most: int, base: int, total: bool
) -> None:
    listing = await Server(count, most, base, total, offset_as_asked=True).whole()
    assert listing.doubt or len(listing.rows) == count


def falling(server: Server, rows: list[tuple[int, float]], number: int) -> list[tuple[int, float]]:
    """Rows of earlier pages vanish meanwhile, so that others move up and are never shown."""
    return rows[1 + len(server.asked) % 2 :] if number > server.base else rows


def shuffled(server: Server, rows: list[tuple[int, float]], number: int) -> list[tuple[int, float]]:
    turn = (len(server.asked) * 37 + number) % max(1, len(rows))
    return rows[turn:] + rows[:turn]


@pytest.mark.parametrize("fault", [falling, shuffled])
@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("count", [130, 257, 400])
async def test_rows_that_move_between_pages_are_noticed(
    fault: Callable[[Server, list[tuple[int, float]], int], list[tuple[int, float]]],
    total: bool,
    count: int,
) -> None:
    listing = await Server(count, total=total, fault=fault).whole()
    assert listing.doubt or len(listing.rows) == count


async def test_rows_that_come_while_one_reads_do_no_harm() -> None:
    def newcomers(server: Server, rows: list[tuple[int, float]], _: int) -> list[tuple[int, float]]:
        return [(10_000 + n, 10_000.0 + n) for n in reversed(range(len(server.asked)))] + rows

    listing = await Server(250, fault=newcomers).whole(Span(until=9_999.0))
    assert listing.doubt == ""
    assert {row for row in listing.rows if created(row) < 1_000} == {  # type: ignore[operator]
        (n, float(n)) for n in range(250)
    }


async def test_a_server_that_gives_one_page_again_and_again_is_not_believed() -> None:
    async def fetch(number: int, size: int) -> Page | None:
        return Page(tuple((n, float(n)) for n in reversed(range(100))))

    assert (await read_whole(fetch, created, repr)).doubt


async def test_a_total_that_is_not_reached_is_not_believed() -> None:
    async def fetch(number: int, size: int) -> Page | None:
        return Page(((1, 1.0), (2, 0.5)) if number == 1 else (), 3)

    assert "should be 3" in (await read_whole(fetch, created, repr)).doubt


async def test_only_as_much_is_read_as_is_asked_for() -> None:
    server = Server(10_000)
    listing = await server.whole(Span(since=9_950.0))
    assert listing.doubt == ""
    assert listing.since == 9_950.0
    assert len(server.asked) <= 5


async def test_rows_without_order_are_read_to_the_end() -> None:
    def upside_down(_: Server, rows: list[tuple[int, float]], __: int) -> list[tuple[int, float]]:
        return rows[::-1]

    listing = await read_once(Server(250, fault=upside_down).fetch, created, 200.0)
    assert (len(listing.rows), listing.since) == (250, -math.inf)


async def test_two_readings_that_differ_are_repeated_and_then_not_believed() -> None:
    def one_less(server: Server, rows: list[tuple[int, float]], _: int) -> list[tuple[int, float]]:
        return rows[sum(number == 1 for number, _ in server.asked) :]

    server = Server(400, fault=one_less)
    assert (await server.whole()).doubt == "two readings differ"
    sizes = list(dict.fromkeys(size for _, size in server.asked))
    assert (len(sizes), sizes[0]) == (READINGS, PER_PAGE)
