"""The base of a backend whose provider queues calls under ids of its own: uploads, polls, a history.

An image goes as an upload unless its source or the recipe says otherwise; a call whose answer got lost is
looked for in the provider's request history by what was sent.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

from relightflow.backends.history.lookup import look_up
from relightflow.backends.history.matching import Matcher
from relightflow.backends.history.records import Records
from relightflow.backends.http.backend import HttpBackend
from relightflow.backends.http.hosts import H
from relightflow.backends.http.inputs import Inputs, PreparedInput
from relightflow.backends.table import ModelRow, row_of
from relightflow.model.evidence import ACCOUNT, DIGEST, SERVER_TIME, Evidence
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import BillRow, Call, RecordsQuery, Retry

R = TypeVar("R", bound=ModelRow)


class QueueBackend(HttpBackend[H], abc.ABC, Generic[H, R]):
    """Implements Backend, HasFetcher, HasHistory, HasIntentDetails and HasServerTime, but for `submit`."""

    _records_type: ClassVar[type[Records[Any]]]
    """Reads the request history."""
    _slowest: ClassVar[float] = 0.0
    """Seconds in which a call that was taken is in the history, whatever the engine reckons."""

    @property
    @abc.abstractmethod
    def _table(self) -> Sequence[R]:
        """The models that can be called."""

    @property
    @abc.abstractmethod
    def _upload_place(self) -> str:
        """Where uploads go."""

    @abc.abstractmethod
    async def _upload(self, image: Image, data: bytes) -> str:
        """The URL of an uploaded copy. Raises `CallFailed`, never billed."""

    async def open(self) -> None:
        await super().open()
        delivery = self._context.options.get("delivery", "upload")
        self._inputs = Inputs(
            self._hosts, self._downloads, self._context.memory, self._tell, delivery, self._upload,
            self._upload_place,
        )  # fmt: skip
        forgets = math.isinf(self._hosts.settling)
        self._history = self._records_type(self._api, Matcher.of(self._table), forgets)

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

    def _wire(self, call: Call) -> tuple[R, dict[str, Any]]:
        """How the call's model is called, and with what. Raises `CallFailed`, unbilled."""
        name = call.job.model
        row = row_of(self._table, name)
        if row is None:
            words = f"{self._hosts.provider}'s table has no model '{name}'"
            raise CallFailed(Failure(FailureKind.REFUSED_MODEL, words))
        return row, {row.image_field: call.prepared.value, **call.job.parameters}

    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        """See `HasLookUp`. Of a stand-in, its own word on how late its records are holds."""
        lag = min(max(query.lag, self._slowest), self._hosts.settling)
        return await look_up(self._history, replace(query, lag=lag), retry)

    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        return await self._history.bill(since, until, retry)
