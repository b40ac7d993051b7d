"""Phrases that all reports share: counts, money, durations, facts in a column."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from relightflow.model.catalog import Price
from relightflow.model.money import Micros, dollars
from relightflow.model.spending import span as span
from relightflow.report import escape

INDENT = "  "
_KINDS = 8
"""Kinds of files that are named."""
REHEARSED = "a stand-in takes the provider's place; nothing is bought, and nothing counts as bought"


def money(amount: Micros) -> str:
    """`0.05 USD`."""
    return f"{dollars(amount)} USD"


def price(found: Price | None) -> str:
    if found is None:
        return "unknown"
    if found.free:
        return "free"
    if found.low == found.high:
        return money(found.high)
    return f"{dollars(found.low)} to {money(found.high)}"


def count(number: int, one: str, many: str = "") -> str:
    """`1 job`, `2,048 jobs`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def facts(pairs: Iterable[tuple[str, str]], columns: int | None = None) -> list[str]:
    """Labels and their facts, the facts in one column; facts that are empty are left out."""
    held = [(label, text) for label, text in pairs if text]
    room = max((len(label) for label, _ in held), default=0)
    lines = []
    for label, text in held:
        head = f"{INDENT}{label.ljust(room)}  "
        lines += paragraph(text, columns, head, " " * len(head))
    return lines


def passed_over(kinds: Sequence[tuple[str, int]]) -> str:
    """`3 files passed over: HEIC 1, TIFF 1, XMP 1`; empty where there are none."""
    if not kinds:
        return ""
    most = sorted(sorted(kinds), key=lambda kind: -kind[1])[:_KINDS]
    named = ", ".join(f"{escape.terminal(kind)} {number:,}" for kind, number in most)
    hidden = len(kinds) - len(most)
    more = f" and {count(hidden, 'more kind')}" if hidden else ""
    return f"{count(sum(number for _, number in kinds), 'file')} passed over: {named}{more}"


def relative_path(path: str, folder: str) -> str:
    """`path` as it is seen from `folder`, where it lies in it."""
    inside = folder.rstrip("/") + "/"
    return path.removeprefix(inside) if folder else path


def listing(items: Iterable[str], total: int, indent: str = INDENT * 2) -> list[str]:
    """A few untrusted names, one a line, and how many more there are."""
    shown = [f"{indent}{escape.terminal(item)}" for item in items]
    hidden = total - len(shown)
    return [*shown, f"{indent}and {hidden:,} more"] if shown and hidden > 0 else shown


def paragraph(
    text: str, columns: int | None, indent: str = "", hanging: str | None = None
) -> list[str]:
    """`text` wrapped for a terminal of so many columns; None: one line, which a search can find.

    `hanging`: the indent of the second line and those after it, where it is another one.
    """
    if columns is None:
        return [indent + text]
    return textwrap.wrap(
        text,
        max(columns, 40),
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
