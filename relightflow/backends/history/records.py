"""A provider's request history, as its adapter reads it: for calls in doubt, and for the bill.

What all of them do alike stands here. A provider's own part is to read one request, to list a period, and to
turn its raw rows into `HistoryRow`s, which say all that is known of them.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from relightflow.backends.history.matching import HistoryRow, Matcher
from relightflow.backends.http.client import Api
from relightflow.backends.http.hosts import H
from relightflow.backends.http.response import usable_id
from relightflow.model.attempt import Attempt
from relightflow.model.failure import CallFailed, Failure
from relightflow.model.step import Accepted, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import BillRow, Retry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a reading is about, Unix seconds by the provider's clock."""

    since: float = -math.inf
    """Rows from before need not be read."""
    until: float = math.inf
    """Rows from after may come and go."""

    def holds(self, at: float | None) -> bool:
        return at is None or self.since <= at <= self.until


EVER = Span()


@dataclass(frozen=True, slots=True)
class HistoryListing:
    """A listing, read."""

    rows: tuple[HistoryRow, ...]
    since: float = -math.inf
    doubt: str = ""
    """Why rows may be missing; empty: nothing speaks for it."""


async def at_once(failure: Failure) -> None:
    """A `Retry` for whoever cannot wait. Raises `CallFailed`."""
    raise CallFailed(failure)


async def patiently(ask: Callable[[], Awaitable[T]], retry: Retry) -> T:
    """`ask`, again for as long as `retry` lets it. Raises `CallFailed`."""
    while True:
        try:
            return await ask()
        except CallFailed as error:
            await retry(error.failure)


@dataclass(frozen=True, slots=True)
class Records(abc.ABC, Generic[H]):
    """Derive from it: `_one` and `between`."""

    api: Api[H]
    matcher: Matcher
    """Tells whose a row is."""
    forgets: bool
    """Whether old rows may be missing; see `absence.Reading`."""

    @abc.abstractmethod
    async def _one(self, request_id: str) -> HistoryRow | None:
        """The row that one look by id finds; None: there is none. Raises `CallFailed`."""

    @abc.abstractmethod
    async def between(self, span: Span, retry: Retry, whole: bool = True) -> HistoryListing:
        """Every row of `span` (Unix seconds). `whole`: read until nothing can be missing, or say why
        something may be; else once. Raises `CallFailed`."""

    async def by_id(self, request_id: str, retry: Retry = at_once) -> HistoryRow | None:
        """The row of one request of any age; None where there is none. Raises `CallFailed`."""
        if not usable_id(request_id):
            return None
        found = await patiently(partial(self._one, request_id), retry)
        return found if found and found.request_id == request_id else None

    async def server_time(self, retry: Retry) -> float | None:
        """The time of the host that calls go to, which INTENT was dated by. Raises `CallFailed`."""
        if self.api.server_time() is None:
            hosts = self.api.hosts
            doing = f"asking {hosts.provider} for its time"
            await patiently(partial(self.api.read, "GET", hosts.probe, doing), retry)
        return self.api.server_time()

    def step(self, attempt: Attempt, row: HistoryRow) -> Step | None:
        """The step that an attempt had really reached; None: nothing that one could go on from (yet)."""
        details = FrozenMap(
            {"submitted": attempt.created, **attempt.details, "model": attempt.model}
        )
        if row.status == "COMPLETED" and row.url:
            return ResultKnown(row.request_id, row.url, row.cost, details)
        return Accepted(row.request_id, details)

    async def bill(self, since: float, until: float, retry: Retry) -> tuple[BillRow, ...]:
        """Every request from `since` to `until` (Unix seconds), once, oldest first, at what its row says or
        stands for. Raises `CallFailed`."""
        found = await self.between(Span(since, until), retry, whole=False)
        # a request with several outputs may have a row for each, and every row bears the whole cost
        once = {row.request_id: row for row in found.rows if row.request_id}
        billed = [
            BillRow(
                row.request_id,
                row.model,
                row.status,
                row.price if row.cost is None else row.cost,
                row.created or since,
            )
            for row in once.values()
            if row.created is None or since <= row.created <= until
        ]
        return tuple(sorted(billed, key=lambda b: (b.created, b.request_id)))
