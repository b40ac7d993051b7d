"""The base of a backend whose provider queues calls under ids of its own: uploads, polls, a history.

An image goes as an upload unless its source or the recipe says otherwise; a call whose answer got lost is
looked for in the provider's request history by what was sent.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

from relightflow.backends.history.lookup import Records, look_up
from relightflow.backends.history.matching import DIGEST
from relightflow.backends.http.backend import HttpBackend
from relightflow.backends.http.client import Api
from relightflow.backends.http.hosts import H
from relightflow.backends.http.inputs import Inputs, PreparedInput
from relightflow.backends.http.queue import QueuePoller
from relightflow.model.evidence import ACCOUNT, SERVER_TIME, Evidence
from relightflow.model.image import Image
from relightflow.model.step import Accepted, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import BillRow, Call, RecordsQuery, Retry


class QueueHistory(Records, Protocol):
    """A provider's request history, read for doubts and for the bill."""

    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        """Every request from `since` to `until`, once, oldest first. Raises `CallFailed`."""


P = TypeVar("P", bound=QueueHistory)


class QueueBackend(HttpBackend[H], abc.ABC, Generic[H, P]):
    """Implements Backend, HasFetcher, HasHistory, HasIntentDetails and HasServerTime, but for `submit`."""

    @property
    def _slowest(self) -> float:
        """Seconds in which a call that was taken is in the history, whatever the engine reckons."""
        return 0.0

    @abc.abstractmethod
    def _new_poller(self, api: Api[H]) -> QueuePoller[H]:
        """Follows accepted calls."""

    @abc.abstractmethod
    def _new_history(self, api: Api[H]) -> P:
        """Reads the request history."""

    @abc.abstractmethod
    async def _upload(self, image: Image, data: bytes) -> str:
        """The URL of an uploaded copy. Raises `CallFailed`, never billed."""

    @property
    @abc.abstractmethod
    def _upload_place(self) -> str:
        """Where uploads go."""

    async def open(self) -> None:
        await super().open()
        self._inputs = Inputs(
            self._hosts,
            self._downloads,
            self._context.memory,
            self._tell,
            self._context.options.get("delivery", "upload"),
            self._upload,
            self._upload_place,
        )
        self._poller = self._new_poller(self._api)
        self._history = self._new_history(self._api)

    async def prepare(self, image: Image, data: bytes) -> PreparedInput:
        await self._result_hosts_checked()
        return await self._inputs.prepare(image, data)

    def intent_details(self, call: Call) -> FrozenMap:
        """What the history is searched by, should this call's answer get lost."""
        given: PreparedInput = call.prepared
        now = self.server_time()
        facts = {
            DIGEST: given.digest,
            "inline": given.value.startswith("data:"),
            ACCOUNT: self._whose,
        }
        return FrozenMap(facts if now is None else facts | {SERVER_TIME: round(now, 3)})

    async def _poll(self, step: Accepted) -> Step:
        return await self._poller.result(step)

    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        """See `HasLookUp`. Of a stand-in, its own word on how late its records are holds."""
        lag = min(max(query.lag, self._slowest), self._hosts.settling)
        return await look_up(self._history, replace(query, lag=lag), retry)

    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        return await self._history.bill(since, until, retry)
