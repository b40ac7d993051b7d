"""The request history: by page, with filters, and by id."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web

from relightflow.backends.emulator.answers import Refused, as_json
from relightflow.backends.emulator.clock import stamp
from relightflow.backends.emulator.provider import EmulatedCall
from relightflow.backends.emulator.record import Record
from relightflow.backends.segmind.emulator import admission, answers
from relightflow.model.money import usd

_WIDEST = timedelta(days=31)
_SORTS: dict[str, Callable[[tuple[Record, str]], float | str]] = {
    "model_created": lambda pair: pair[0].created,
    "model_name": lambda pair: pair[0].model,
    "credits_deduction": lambda pair: pair[0].cost,
}


@dataclass(frozen=True, slots=True)
class _HistoryQuery:
    """One page, as the query asks for it."""

    page: int
    per_page: int
    since: date
    until: date
    """Both inclusive, UTC."""
    model: str
    status: str
    sort_by: str
    ascending: bool


async def page(call: EmulatedCall) -> web.Response:
    """`GET /inference-request/request-history`: one row an output, newest first."""
    admission.check_key(call)
    clock = call.provider.clock
    now = clock.now()
    wanted = _wanted(call.request.query, datetime.fromtimestamp(clock.shown(), UTC).date())
    found = [
        (record, output)
        for record in call.provider.recorded(lambda taken: taken.created)
        if _fits(record, wanted, now, clock.skew)
        for output in _outputs(record, now)
    ]
    found.sort(key=_SORTS[wanted.sort_by], reverse=not wanted.ascending)
    first = (wanted.page - 1) * wanted.per_page
    cut = [_row(call, *pair) for pair in found[first : first + wanted.per_page]]
    envelope = call.provider.config.envelope
    if envelope == "list":
        return as_json(cut)
    return as_json(
        {
            envelope: cut,
            "page": wanted.page,
            "per_page": wanted.per_page,
            "total": len(found),
            "total_pages": -(-len(found) // wanted.per_page),
        }
    )


async def one(call: EmulatedCall) -> web.Response:
    """`GET /inference-request/request-history/{id}`: not bounded by a window."""
    admission.check_key(call)
    record = call.provider.account.find(call.name)
    if record is None or record not in call.provider.recorded(lambda taken: taken.created):
        raise Refused(answers.error(404, "Request not found"))
    return as_json(_row(call, record, _outputs(record, call.provider.clock.now())[0]))


def _wanted(query: Mapping[str, str], today: date) -> _HistoryQuery:
    """The query, checked. Raises Refused (400)."""
    try:
        until = date.fromisoformat(query.get("to_date") or today.isoformat())
        since = date.fromisoformat(
            query.get("from_date") or (until - timedelta(days=7)).isoformat()
        )
        number, size = int(query.get("page") or 1), int(query.get("per_page") or 20)
    except (ValueError, OverflowError) as problem:
        raise Refused(answers.error(400, f"Invalid query: {problem}")) from None
    if until < since or until - since > _WIDEST:
        raise Refused(answers.error(400, "The date window may span at most 31 days"))
    if number < 1 or not 1 <= size <= 100:
        raise Refused(answers.error(400, "page starts at 1, per_page is 1 to 100"))
    sort_by, status = query.get("sort_by") or "model_created", query.get("status") or ""
    if sort_by not in _SORTS or status not in ("", "COMPLETED", "FAILED", "PENDING"):
        raise Refused(answers.error(400, "Invalid sort_by or status"))
    model, ascending = query.get("model_name") or "", query.get("sort_order") == "asc"
    return _HistoryQuery(number, size, since, until, model, status, sort_by, ascending)


def _fits(record: Record, wanted: _HistoryQuery, now: float, skew: float) -> bool:
    day = datetime.fromtimestamp(record.created + skew, UTC).date()
    return (
        wanted.since <= day <= wanted.until
        and wanted.model in record.model
        and wanted.status in ("", _state(record, now))
    )


def _state(record: Record, now: float) -> str:
    state = record.status(now)
    return "PENDING" if state in ("QUEUED", "PROCESSING") else state


def _outputs(record: Record, now: float) -> tuple[str, ...]:
    """Names of a request's rows: one for each output, and one where there is none (yet)."""
    return record.outputs if _state(record, now) == "COMPLETED" else ("",)


def _row(call: EmulatedCall, record: Record, output: str) -> dict[str, Any]:
    """One row; each of a request's rows carries the whole cost."""
    now, shown = call.provider.clock.now(), call.provider.clock.shown
    state = _state(record, now)
    as_text = call.provider.config.history_body_as_text
    return {
        "request_id": record.request_id,
        "model_name": record.model,
        "model_status": state,
        "credits_deduction": usd(record.cost) if output else 0.0,
        "request_body": json.dumps(record.body) if as_text else record.body,
        "generation_url": call.url(f"/outputs/{output}") if output else None,
        "latency_ms": None if state == "PENDING" else round((record.done - record.created) * 1000),
        "model_created": stamp(shown(record.created)),
        "model_updated": stamp(shown(min(now, record.done))),
        "error": record.error if state == "FAILED" else None,
    }
