"""Rows of the provider's request history, read out of whatever envelope they come in. Pure.

A row that cannot be read is never taken for no row: what looks absent may be bought again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relightflow.backends.history.matching import HistoryRow
from relightflow.backends.history.rows import json_object, moment, text
from relightflow.backends.http.response import amount, usable_id
from relightflow.backends.http.sanitize import shown
from relightflow.backends.segmind.listing import Page
from relightflow.model.money import dollars

ENVELOPES = ("data", "results", "items", "rows", "records", "requests", "history")
"""The first three are expected; the others cost nothing to take as well."""


def page(answer: Any) -> Page | None:
    """The raw rows of an answer: a bare list, or in an envelope, perhaps one in another."""
    for _ in range(3):
        if isinstance(answer, list):
            return Page(tuple(answer))
        if not isinstance(answer, dict):
            return None
        inner = next((answer[name] for name in ENVELOPES if name in answer), None)
        if isinstance(inner, list):
            return Page(tuple(inner), _total(answer))
        answer = inner
    return None


def _total(envelope: Mapping[str, Any]) -> int | None:
    """How many rows there are in all, where it is said and is a number."""
    places = [envelope, *(envelope.get(name) for name in ("pagination", "meta", "page_info"))]
    for place in places:
        for name in ("total", "total_count", "total_items", "total_records"):
            value = place.get(name) if isinstance(place, dict) else None
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                return value
    return None


def created(raw: Any) -> float | None:
    """When a raw row's request was made, Unix seconds."""
    if not isinstance(raw, dict):
        return None
    return moment(raw.get("model_created") or raw.get("created_at"))


def identity(raw: Any) -> str:
    """What stays the same of a raw row while its request goes on."""
    if not isinstance(raw, dict) or not usable_id(raw.get("request_id")):
        return repr(raw)
    return repr([raw.get(name) for name in ("request_id", "model_name", "request_body")])


def single(answer: Any) -> HistoryRow | None:
    """The row of a look-up by id, in an envelope or without one."""
    for _ in range(2):
        if isinstance(answer, list):
            answer = answer[0] if answer else None
        if isinstance(answer, dict) and "request_id" in answer:
            return row(answer)
        if isinstance(answer, dict):
            answer = next((answer[name] for name in ENVELOPES if name in answer), None)
    return None


def row(raw: Any) -> HistoryRow:
    """One raw row; what is missing or odd is left empty. A failed one is not billed unless it is charged for."""
    raw = raw if isinstance(raw, dict) else {}
    cost, why = amount(raw.get("credits_deduction")), shown(text(raw.get("error")))
    status = text(raw.get("model_status") or raw.get("status")).upper()
    billed = f"and cost {dollars(cost)} USD" if cost else "unbilled"
    words = f"Segmind accepted the call and it failed, {billed}: {why or 'no reason given'}"
    return HistoryRow(
        request_id=usable_id(raw.get("request_id")),
        model=text(raw.get("model_name")),
        status=status,
        cost=cost,
        created=created(raw),
        inputs=json_object(raw.get("request_body")),
        url=text(raw.get("generation_url")),
        error=words if status == "FAILED" else "",
        undecided=words if status == "FAILED" and cost else "",
    )
