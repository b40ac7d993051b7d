"""The account's list of predictions: what became of calls whose answer got lost. Free and read-only.

Source: Replicate's HTTP reference. The list shows each prediction with its inputs, newest first, for as long
as these are there: an hour. After that a row says no more than that there was a call of that model; then
nobody's row can be told from ours, and only that there is none proves something.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from relightflow.backends.history.cursors import CursorPage, CursorReader, Fetch
from relightflow.backends.history.matching import HistoryRow
from relightflow.backends.history.records import HistoryListing, Records, Span, patiently
from relightflow.backends.history.rows import json_object, moment, text
from relightflow.backends.http.response import mapping, usable_id
from relightflow.backends.replicate import models, responses
from relightflow.backends.replicate.hosts import ReplicateHosts
from relightflow.backends.replicate.responses import VERDICTS
from relightflow.backends.table import row_of
from relightflow.model.failure import CallFailed
from relightflow.plugins.backend import Retry

_PAGE_CAP = 32 << 20
_DAY = 86_400.0
_DOING = "reading the list of predictions"


class ReplicateHistory(Records[ReplicateHosts]):
    async def _one(self, request_id: str) -> HistoryRow | None:
        url = self.api.hosts.prediction(request_id)
        answer = await self.api.read("GET", url, _DOING, cap=_PAGE_CAP)
        if answer.status == 404 and responses.own_words(answer):
            return None
        return _row(mapping(VERDICTS.checked(answer, _DOING).body))

    async def between(self, span: Span, retry: Retry, whole: bool = True) -> HistoryListing:
        """Every row of `span`. `whole`: read twice and alike, or a doubt says why not."""
        since = span.since - _DAY

        def older_than(moment: float | None) -> Fetch:
            until = datetime.fromtimestamp(moment, UTC).isoformat() if moment is not None else ""

            async def fetch(cursor: str) -> CursorPage:
                return await patiently(lambda: self._page(cursor, until), retry)

            return fetch

        if whole:
            rows, doubt = await _READER.shifted(older_than(None), older_than, span, since)
        else:
            rows, doubt = await _READER.once(older_than(None), since)
        return HistoryListing(tuple(map(_row, rows)), since, doubt)

    async def _page(self, cursor: str, until: str) -> CursorPage:
        """Of the next page only its cursor is taken: where it is asked for is not the answer's to say. `until`:
        only predictions created before; newer clients of Replicate's know that filter."""
        asked = {"cursor": cursor, "created_before": until}
        answer = await self.api.read(
            "GET",
            self.api.hosts.predictions,
            _DOING,
            params={name: value for name, value in asked.items() if value} or None,
            cap=_PAGE_CAP,
        )
        found = mapping(VERDICTS.checked(answer, _DOING).body)
        rows, following = found.get("results"), found.get("next")
        cursor = _cursor(text(following))
        if not isinstance(rows, list) or (following and not cursor):
            raise CallFailed(VERDICTS.unreadable(answer, _DOING))
        return CursorPage(rows, cursor)


def _row(raw: Any) -> HistoryRow:
    """One raw row; what is missing or odd is left empty. What ran is billed for its seconds, whatever became of it,
    and counts at its model's highest price where they are not told; what was never started is not billed."""
    raw = raw if isinstance(raw, dict) else {}
    status = {
        "succeeded": "COMPLETED", "failed": "RAN", "canceled": "RAN", "aborted": "FAILED",
    }.get(text(raw.get("status")), "IN_PROGRESS")  # fmt: skip
    removed, why = responses.removed(raw), responses.why(raw)
    inputs = json_object(raw.get("input"))
    url = responses.image_url(raw) if status == "COMPLETED" else ""
    undecided = {
        "RAN": f"Replicate ran the call and it failed ({why}); the time that it ran is billed",
        "COMPLETED": responses.LOST if removed and not url else "",
    }.get(status, "")
    model = models.named(raw.get("model"), raw.get("version"))
    known, ran = row_of(models.TABLE, model), status in ("COMPLETED", "RAN")
    price = known.model.price if known and ran else None
    return HistoryRow(
        request_id=usable_id(raw.get("id")),
        model=model,
        status=status,
        cost=responses.cost_of(raw) if ran else None,
        created=_created(raw),
        inputs=None if removed and not inputs else inputs,
        url=url,
        error=f"Replicate gave the call up before it started, unbilled: {why}"
        if status == "FAILED"
        else "",
        price=price.high if price else 0,
        undecided=undecided,
        removed=removed,
    )


def _created(raw: Any) -> float | None:
    return moment(raw.get("created_at")) if isinstance(raw, dict) else None


def _identity(raw: Any) -> str:
    row = _row(raw)
    return repr((row.request_id or raw, row.model))


_READER = CursorReader(_created, _identity)


def _cursor(url: str) -> str:
    """The cursor in the address of the next page; empty where there is none."""
    try:
        found = parse_qs(urlsplit(url).query).get("cursor")
    except ValueError:
        return ""
    return found[0] if found else ""
