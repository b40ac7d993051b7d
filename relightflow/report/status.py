"""How a state folder stands, in plain words."""

from __future__ import annotations

from datetime import datetime

from relightflow.errors import Exit
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import undecided
from relightflow.model.status import LastRun, Status
from relightflow.report import escape, table
from relightflow.report.doubts import advice, settled_by
from relightflow.report.plan import restored
from relightflow.report.text import INDENT, REHEARSED, count, facts, money, paragraph

_SHOWN = 20
"""Unknown attempts that are listed; `--json` has all."""


def status(found: Status, columns: int | None = None) -> str:
    lines = [f"state {escape.terminal(found.state)}"]
    if found.rehearsal:
        lines += paragraph(f"rehearsal: {REHEARSED}", columns, INDENT)
    if not found.exists:
        text = (
            "folder not found: nothing was bought with this state. Use --state to name another one"
        )
        return "\n".join([*lines, *paragraph(text, columns, INDENT)])
    lines += facts(
        (
            ("restored", restored(found.restoration)),
            ("last run", _last_run(found.last_run)),
            ("rehearsed" if found.rehearsal else "spent", money(found.spent)),
            ("in flight", money(found.in_flight) if found.in_flight else "nothing"),
            *((("collect by", _collect_by(found)),) if found.collect_by is not None else ()),
            ("unknown", _unknown(found)),
            ("calls", ", ".join(f"{n:,} {state.value}" for state, n in found.states) or "none"),
        ),
        columns,
    )
    if found.doubts:
        lines += _doubts(found.doubts)
    return "\n".join(lines)


def _last_run(last: LastRun | None) -> str:
    if last is None:
        return "none yet"
    text = f"{escape.terminal(last.recipe)}, {_moment(last.started)}, run {last.id}"
    if last.ended is None:
        return f"{text}: running, or killed; run the recipe again to continue"
    return f"{text}: {_exit(last.exit_code)}"


def _exit(code: int | None) -> str:
    try:
        known = Exit(code or 0)
    except ValueError:
        return f"exit {code}"
    return f"exit {int(known)}, {known.meaning}"


def _collect_by(found: Status) -> str:
    assert found.collect_by is not None
    return (
        f"{_moment(found.collect_by)}: then the provider deletes the first of "
        f"{count(found.waiting, 'paid result')}; run the recipe again before that"
    )


def _unknown(found: Status) -> str:
    if not found.doubts:
        return "nothing"
    calls = count(len(found.doubts), "call")
    return f"{calls}, {money(found.unknown)}: may have been billed, not repeated automatically"


def _doubts(doubts: tuple[Attempt, ...]) -> list[str]:
    head = ("job", "price", "since", "model", "settled by", "why")
    body = [
        (
            attempt.job_key[:16],
            money(attempt.price),
            _moment(attempt.created),
            escape.terminal(attempt.model),
            settled_by(undecided(attempt.details)),
            escape.terminal(attempt.reason),
        )
        for attempt in doubts[:_SHOWN]
    ]
    lines = ["", *("  " + line for line in table.measured(head, body))]
    lines += ["", *advice(undecided(attempt.details) for attempt in doubts)]
    hidden = len(doubts) - len(body)
    return [*lines, f"  and {hidden:,} more (--json lists all)"] if hidden else lines


def _moment(unix: float) -> str:
    """In the reader's own time zone, as people write it."""
    return datetime.fromtimestamp(unix).astimezone().strftime("%Y-%m-%d %H:%M:%S")
