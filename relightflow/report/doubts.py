"""What settles an unknown outcome, and when: by itself, by the next purchase, or by a person's decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from relightflow.model.evidence import Needs, Undecided
from relightflow.report import escape
from relightflow.report.text import count

_MOST = 3
"""Reasons that are told."""


def settled_by(found: Undecided | None) -> str:
    """A few words for a table."""
    if found is None:
        return "the next run"
    if found.needs is Needs.PERSON:
        return "your decision"
    if found.needs is Needs.PURCHASE:
        return "the next purchase"
    if found.needs is Needs.RUN:
        return "the next run"
    return f"the records, from {_moment(found.at)}" if found.at else "the records"


def advice(doubts: Iterable[Undecided | None]) -> list[str]:
    """One line for each thing that is waited for. None: nobody has asked the records yet."""
    every = list(doubts)
    lines = []
    for needs, words in (
        (None, "the next run asks the provider what became of them"),
        (Needs.TIME, ""),
        (
            Needs.PURCHASE,
            "the next purchase settles them: the records count as complete once they show a "
            "later call",
        ),
        (
            Needs.RUN,
            "the next run settles them; it may send them again within its limits, which is billed once",
        ),
        (Needs.PERSON, "these need your decision: relightflow resolve"),
    ):
        some = [found for found in every if (found.needs if found else None) is needs]
        if some:
            known = [found for found in some if found]
            told = f"{count(len(some), 'call')}: {words or _by_time(known, len(some))}"
            lines.append(told + _because(known))
    return lines


def _by_time(found: Sequence[Undecided], calls: int) -> str:
    times = [one.at for one in found if one.at]
    if not times:
        return "the provider's records are asked again by the next run, or by 'run --wait'"
    until = f" and {_moment(max(times))}" if max(times) - min(times) >= 60 else ""
    start = f"between {_moment(min(times))}" if until else f"from {_moment(min(times))}"
    return (
        f"the provider's records can settle {'it' if calls == 1 else 'them'} {start}{until}; "
        "'relightflow run --wait' waits for that, and nothing needs to be decided"
    )


def _because(found: Sequence[Undecided]) -> str:
    reasons = list(dict.fromkeys(one.why for one in found))[:_MOST]
    return f" ({escape.terminal('; '.join(reasons))})" if reasons else ""


def _moment(unix: float) -> str:
    """In the reader's own time zone; the day only where it is another one."""
    then = datetime.fromtimestamp(unix).astimezone()
    today = datetime.now(tz=then.tzinfo).date()
    return then.strftime("%H:%M" if then.date() == today else "%Y-%m-%d %H:%M")
