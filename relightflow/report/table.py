"""Rows in columns that line up, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from relightflow.report import escape

GAP = "  "


def rows(
    head: Sequence[str], body: Iterable[Sequence[str]], widths: Sequence[int]
) -> Iterator[str]:
    """One line a row. `widths` are the columns' widths, so that a long body need not be held."""
    yield _line(head, widths)
    for row in body:
        yield _line(row, widths)


def measured(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """A short table, measured first."""
    widths = [max(map(escape.width, column), default=0) for column in zip(head, *body, strict=True)]
    return list(rows(head, body, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        escape.fit(cell, room) + " " * (room - escape.width(cell))
        for cell, room in zip(cells, widths, strict=True)
    )
    return GAP.join(padded).rstrip()
