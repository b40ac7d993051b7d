"""The account's list of predictions: what became of calls whose answer got lost. Free and read-only.

Source: Replicate's HTTP reference. The list shows each prediction with its inputs, newest first, for as long
as these are there: an hour. After that a row says no more than that there was a call of that model; then
nobody's row can be told from ours, and only that there is none proves something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from relightflow.backends.history.bill import bill
from relightflow.backends.history.cursors import CursorPage, CursorReader, Fetch
from relightflow.backends.history.lookup import HistoryListing, Span, at_once, patiently
from relightflow.backends.history.matching import HistoryRow, Matcher
from relightflow.backends.history.rows import json_object, moment, text
from relightflow.backends.http.response import Response, mapping, usable_id
from relightflow.backends.replicate import models, responses
from relightflow.backends.replicate.hosts import ReplicateApi
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import Needs, Undecided
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import BillRow, Retry

_PAGE_CAP = 32 << 20
_DAY = 86_400.0
_DOING = "reading the list of predictions"
FAILED, RAN = "FAILED", "RAN"
"""A prediction that was never started, unbilled; one that failed or was canceled, and is billed for its time."""


@dataclass(frozen=True, slots=True)
class ReplicateHistory:
    """Implements `relightflow.backends.history.lookup.Records`."""

    api: ReplicateApi
    forgets: bool
    """Whether old rows may be missing."""

    @property
    def matcher(self) -> Matcher:
        return models.MATCHER

    async def by_id(self, request_id: str, retry: Retry = at_once) -> HistoryRow | None:
        """The row of one prediction; None where there is none. Raises `CallFailed`."""
        if not usable_id(request_id):
            return None

        async def ask() -> HistoryRow | None:
            answer = await self.api.read(
                "GET", self.api.hosts.prediction(request_id), _DOING, cap=_PAGE_CAP
            )
            if answer.status == 404 and responses.own_words(answer):
                return None
            return _row(mapping(_checked(answer).body))

        found = await patiently(ask, retry)
        return found if found and found.request_id == request_id else None

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
        found = mapping(_checked(answer).body)
        rows, following = found.get("results"), found.get("next")
        cursor = _cursor(text(following))
        if not isinstance(rows, list) or (following and not cursor):
            words = "Replicate's list of predictions has an unknown format"
            raise CallFailed(Failure(FailureKind.UNAVAILABLE, words, status=answer.status))
        return CursorPage(rows, cursor)

    async def server_time(self, retry: Retry) -> float | None:
        """The time of the host that calls go to. Raises `CallFailed`."""
        if self.api.server_time() is None:

            async def ask() -> None:
                await self.api.read("GET", self.api.hosts.account, "asking Replicate for its time")

            await patiently(ask, retry)
        return self.api.server_time()

    def step(self, attempt: Attempt, row: HistoryRow) -> Step | Undecided | None:
        """The step that an attempt had really reached."""
        if row.status == RAN:
            why = row.error or "no reason given"
            words = f"Replicate ran the call and it failed ({why}); the time that it ran is billed"
            return Undecided(Needs.PERSON, words)
        if row.status == "COMPLETED" and row.removed and not row.url:
            return Undecided(Needs.PERSON, responses.LOST)
        details = FrozenMap(
            {**attempt.details, "model": attempt.model, "submitted": attempt.created}
        )
        if row.status == "COMPLETED" and row.url:
            return ResultKnown(row.request_id, row.url, row.cost, details)
        return Accepted(row.request_id, details)

    def why(self, row: HistoryRow) -> str:
        """Why a row's request failed, unbilled, in words."""
        return f"Replicate gave the call up before it started, unbilled: {row.error or 'no reason given'}"

    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        """Every prediction in the period, at the seconds that it ran; where these are not told, at its
        model's highest price."""
        return await bill(self, since, until, retry, _cost)


def _cost(row: HistoryRow) -> int:
    if row.cost is not None:
        return row.cost
    model = models.row(row.model)
    price = model.model.price if model else None
    return price.high if price and row.status in ("COMPLETED", RAN) else 0


def _row(raw: Any) -> HistoryRow:
    """One raw row; what is missing or odd is left empty."""
    raw = raw if isinstance(raw, dict) else {}
    said = text(raw.get("status"))
    status = {
        "succeeded": "COMPLETED", "failed": RAN, "canceled": RAN, "aborted": FAILED,
    }.get(said, "IN_PROGRESS")  # fmt: skip
    removed = responses.removed(raw)
    inputs = json_object(raw.get("input"))
    return HistoryRow(
        request_id=usable_id(raw.get("id")),
        model=models.named(raw.get("model"), raw.get("version")),
        status=status,
        cost=responses.cost_of(raw) if status in ("COMPLETED", RAN) else None,
        created=moment(raw.get("created_at")),
        inputs=None if removed and not inputs else inputs,
        url=responses.image_url(raw) if status == "COMPLETED" else "",
        error=responses.why(raw) if raw.get("error") else "",
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


def _checked(answer: Response) -> Response:
    if answer.status != 200:
        raise CallFailed(responses.of_read(answer, _DOING))
    return answer
