"""What a state has spent, by recipe, model, month and day: as text and as JSON."""

from __future__ import annotations

from typing import Any

from relightflow.model.money import usd
from relightflow.model.spending import Spending, SpendingRow
from relightflow.report import escape, table
from relightflow.report.text import money

_SHOWN = 31
"""Days that are listed; `--json` has all."""
_HEAD = ("calls", "spent", "in flight", "unknown", "bought elsewhere", "counted")


def spending(found: Spending) -> str:
    if not found.total.calls and not found.total.adopted:
        return "nothing was spent with this state"
    lines: list[str] = []
    for head, rows in (
        ("recipe", found.recipes),
        ("model", found.models),
        ("month (UTC)", found.months),
        ("day (UTC)", found.days[-_SHOWN:]),
    ):
        body = [_cells(row) for row in rows]
        lines += [*table.measured((head, *_HEAD), body), ""]
    if len(found.days) > _SHOWN:
        lines[-1:] = [f"the last {_SHOWN} of {len(found.days)} days (--json lists all)", ""]
    lines += table.measured(("", *_HEAD), [_cells(found.total, "in all")])
    lines.append(
        "spent: as the provider reported it; counted: against caps, at least the list's price"
    )
    return "\n".join(lines)


def spending_document(found: Spending) -> dict[str, Any]:
    return {
        "recipes": list(map(_document, found.recipes)),
        "models": list(map(_document, found.models)),
        "months": list(map(_document, found.months)),
        "days": list(map(_document, found.days)),
        "total": _document(found.total),
    }


def _cells(row: SpendingRow, name: str = "") -> tuple[str, ...]:
    amounts = (row.spent, row.in_flight, row.unknown, row.adopted, row.counted)
    shown = escape.terminal(name or row.name) or "(not known)"
    return (shown, f"{row.calls:,}", *map(money, amounts))


def _document(row: SpendingRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "calls": row.calls,
        "spent_usd": usd(row.spent),
        "in_flight_usd": usd(row.in_flight),
        "unknown_usd": usd(row.unknown),
        "adopted_usd": usd(row.adopted),
        "counted_usd": usd(row.counted),
    }
