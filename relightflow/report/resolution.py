"""What `resolve`, `reconcile` and `rebuild` came to, in words and as JSON documents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import undecided
from relightflow.model.maintenance import (
    BilledRequest,
    Difference,
    Finding,
    Rebuilt,
    Reconciliation,
    Resolution,
)
from relightflow.model.money import Micros, usd
from relightflow.report import escape, table
from relightflow.report.doubts import advice, settled_by
from relightflow.report.json import VERSION
from relightflow.report.text import count, facts, money

_SHOWN = 50
"""Rows that are listed; `--json` has all."""
_SAID = {
    Difference.NOT_BILLED: "recorded here, but not billed",
    Difference.COST_DIFFERS: "the cost differs",
}


def resolution(found: Resolution) -> str:
    lines = []
    if found.adopted:
        lines.append(
            f"{count(found.adopted, 'call')} found in the provider's records; "
            "the next run collects them"
        )
    if found.released:
        lines.append(f"{count(found.released, 'call')} not billed, according to the records")
    if found.decided:
        lines.append(f"{count(len(found.decided), 'call')} decided")
    if found.over_cap:
        price = money(sum(attempt.price for attempt in found.over_cap))
        lines.append(
            f"{count(len(found.over_cap), 'call')} skipped: {price} more would exceed the cap"
        )
    if found.left_to_records:
        lines.append(
            f"{count(len(found.left_to_records), 'call')} not resubmitted, because the provider's "
            "records will settle them: 'relightflow resolve --wait'. --job ID resubmits one now"
        )
    by_itself = found.by_itself
    if by_itself:
        price = money(sum(attempt.price for attempt in by_itself))
        held = count(len(by_itself), "unknown outcome")
        lines.append(f"{held}, up to {price}, to be settled by the provider's records:")
        lines += advice(undecided(attempt.details) for attempt in by_itself)
    waiting = found.waiting
    if not waiting:
        none = "no other call waits" if by_itself else "no call is waiting"
        return "\n".join([*lines, f"{none} for a decision"])
    held = count(len(waiting), "call is waiting", "calls are waiting")
    price = money(sum(attempt.price for attempt in waiting))
    lines.append(f"{held} for a decision, up to {price}:")
    head = ("job", "state", "price", "since", "settled by", "why")
    lines += table.measured(head, _rows(waiting))
    if len(waiting) > _SHOWN:
        lines.append(f"  and {len(waiting) - _SHOWN:,} more")
    return "\n".join(lines)


def _rows(attempts: tuple[Attempt, ...]) -> list[tuple[str, ...]]:
    return [
        (
            attempt.job_key[:16],
            _state(attempt),
            money(attempt.price),
            _moment(attempt.created),
            _settled_by(attempt),
            escape.terminal(attempt.reason or _why(attempt)),
        )
        for attempt in attempts[:_SHOWN]
    ]


def _settled_by(attempt: Attempt) -> str:
    return settled_by(undecided(attempt.details)) if attempt.state is State.UNKNOWN else ""


def _why(attempt: Attempt) -> str:
    cut = attempt.state is State.PAID_UNFETCHED
    return "the answer was cut short" if cut else "its result is lost"


def _state(attempt: Attempt) -> str:
    if attempt.state is State.UNKNOWN:
        return "unknown"
    if attempt.state is State.PAID_UNFETCHED:
        return "paid, not fetched"
    return "paid, no result" if attempt.state is State.FAILED else "paid, result lost"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def reconciliation(found: Reconciliation) -> str:
    period = f"from {_moment(found.since)} to {_moment(found.until)}"
    lines = [f"{escape.terminal(', '.join(found.backends))}, {period}"]
    lines += facts(
        (
            ("billed", _sum(found.ours)),
            ("recorded", money(found.recorded)),
            (
                "others",
                f"{_sum(found.others)} that this state did not make: other users of the account"
                if found.others
                else "",
            ),
            ("differences", f"{len(found.findings):,}" if found.findings else "none"),
        )
    )
    if found.findings:
        head = ("request", "model", "here", "provider", "what")
        lines += table.measured(head, [_finding(item) for item in found.findings[:_SHOWN]])
    return "\n".join([*lines, resolution(found.resolution)])


def _sum(requests: tuple[BilledRequest, ...]) -> str:
    return f"{money(sum(r.cost for r in requests))} for {count(len(requests), 'request')}"


def _finding(item: Finding) -> tuple[str, ...]:
    return (
        escape.terminal(item.request_id),
        escape.terminal(item.model),
        _amount(item.ours),
        _amount(item.theirs),
        _SAID[item.kind],
    )


def _amount(amount: Micros | None) -> str:
    return "-" if amount is None else money(amount)


def rebuilt(found: Rebuilt) -> str:
    lines = [
        f"ledger recreated: {count(found.stored, 'result')} restored, nothing bought. They count as "
        "spent, those whose recipe is not known against every cap"
    ]
    lines += facts(
        (
            ("in flight", count(found.open, "call") if found.open else ""),
            ("failed", count(found.failed, "call") if found.failed else ""),
            ("lost", count(found.lost, "image") if found.lost else ""),
            (
                "damaged",
                f"{count(found.nonsense, 'line')} of the index, skipped: compare with "
                "'relightflow reconcile' before you buy"
                if found.nonsense
                else "",
            ),
        )
    )
    return "\n".join(lines)


def resolution_document(found: Resolution) -> dict[str, Any]:
    return {
        "kind": "resolution",
        "version": VERSION,
        "held": [_attempt(attempt) for attempt in found.held],
        "held_usd": usd(found.price),
        "decided": [_attempt(attempt) for attempt in found.decided],
        "over_cap": [_attempt(attempt) for attempt in found.over_cap],
        "left_to_records": [_attempt(attempt) for attempt in found.left_to_records],
        "adopted": found.adopted,
        "released": found.released,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "job": attempt.job_key[:16],
        "key": attempt.job_key,
        "state": str(attempt.state),
        "billed": str(attempt.billed),
        "price_usd": usd(attempt.price),
        "created": attempt.created,
        "backend": attempt.backend,
        "model": attempt.model,
        "request_id": attempt.request_id or None,
        "reason": attempt.reason,
        "waits_for": found.needs if (found := undecided(attempt.details)) else None,
        "settled_from": found.at if found else None,
    }


def reconciliation_document(found: Reconciliation) -> dict[str, Any]:
    return {
        "kind": "reconciliation",
        "version": VERSION,
        "since": found.since,
        "until": found.until,
        "backends": list(found.backends),
        "requests": len(found.ours),
        "billed_usd": usd(sum(request.cost for request in found.ours)),
        "recorded_usd": usd(found.recorded),
        "others": [
            {
                "request_id": request.request_id,
                "model": request.model,
                "billed_usd": usd(request.cost),
                "when": request.created,
            }
            for request in found.others
        ],
        "findings": [
            {
                "what": str(item.kind),
                "request_id": item.request_id,
                "model": item.model,
                "recorded_usd": None if item.ours is None else usd(item.ours),
                "billed_usd": None if item.theirs is None else usd(item.theirs),
                "when": item.when,
            }
            for item in found.findings
        ],
        "resolution": resolution_document(found.resolution),
    }


def rebuilt_document(found: Rebuilt) -> dict[str, Any]:
    return {
        "kind": "rebuilt",
        "version": VERSION,
        "stored": found.stored,
        "open": found.open,
        "failed": found.failed,
        "lost": found.lost,
        "nonsense": found.nonsense,
    }
