"""The base of a backend over HTTP: opening and closing, the provider's clock, and results by URL.

`named_backend` and `history.backend` build on it, for providers that take our name for a call and for those
that give it an id. What is left to a provider is its hosts, how its answers are read, and `submit`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Generic, Self

from relightflow.backends.http import sessions
from relightflow.backends.http.client import Api
from relightflow.backends.http.download import Downloads, exempt, fetch_apart
from relightflow.backends.http.hosts import H, ProviderHosts, in_force
from relightflow.backends.http.key import KeyRing
from relightflow.backends.http.polling import ClockFunctions, PollSchedule
from relightflow.backends.http.queue import QueuePoller
from relightflow.backends.http.response import Response
from relightflow.errors import AccountError, RefusedError
from relightflow.model.failure import CallFailed, FailureKind
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.plugins.backend import Backend
from relightflow.plugins.records import BackendContext


class HttpBackend(Backend, Generic[H]):
    """Implements all of Backend but `submit`."""

    _usual: ClassVar[ProviderHosts]
    """The provider's own hosts."""
    _ring: ClassVar[KeyRing]
    _api_type: ClassVar[type[Api[Any]]] = Api
    _poller_type: ClassVar[type[QueuePoller[Any]]]
    """Follows accepted calls; none where the provider accepts none."""

    @classmethod
    def from_environment(cls, context: BackendContext) -> Self:
        """Raises `UsageError` for an override that is no server's address."""
        hosts: Any = in_force(cls._usual, os.environ, context.operator.output_hosts)
        return cls(context, cls._ring.read, hosts)

    def __init__(
        self,
        context: BackendContext,
        key: Callable[[Callable[[str], None]], str],
        hosts: H,
        clock: ClockFunctions | None = None,
    ) -> None:
        """`key` reads the key and is given a function for notices."""
        self._context = context
        self._read_key = key
        self._hosts = hosts
        self._clock = clock or ClockFunctions()
        self._told: set[str] = set()
        self._pace = PollSchedule()
        self._opened: tuple[Api[H], Downloads] | None = None
        self._hosts_check: asyncio.Task[None] | None = None

    async def open(self) -> None:
        if self._context.operator.offline:
            raise RefusedError(
                f"the backend {self._hosts.provider} needs the network, and --offline is set"
            )
        key = self._read_key(self._tell)
        private = self._context.operator.allow_private_network
        api = self._api_type(sessions.api_session(), self._hosts, key)
        session = sessions.download_session(*exempt(self._hosts), private=private)
        shown = key if self._hosts.keyed else ""
        self._opened = api, Downloads(session, self._hosts, shown)
        if self._hosts.override and self._hosts.variable:
            self._tell(
                f"{self._hosts.variable} is set: {self._hosts.override} is used instead of "
                f"{self._hosts.provider}"
            )
        try:
            await self._greet()
        except CallFailed as error:
            if error.failure.kind is FailureKind.ACCOUNT:
                raise AccountError(error.failure.message) from None

    async def close(self) -> None:
        if self._hosts_check is not None:
            self._hosts_check.cancel()
            await asyncio.gather(self._hosts_check, return_exceptions=True)
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened[0].session.close()
            await opened[1].session.close()

    async def _greet(self) -> None:
        """A free call, so that the provider's time is known before anything is sent, and a refused
        key is. Raises CallFailed; only a refused key stops the opening. The default asks nothing."""

    async def _probe(self) -> Response:
        return await self._api.read(
            "GET", self._hosts.probe, f"asking {self._hosts.provider} for its time"
        )

    @property
    def _poller(self) -> QueuePoller[H]:
        return self._poller_type(self._api, self._pace, self._tell, self._clock)

    async def _poll(self, step: Accepted) -> Step:
        """What became of an accepted call. Raises CallFailed."""
        return await self._poller.result(step)

    async def _result_hosts_checked(self) -> None:
        """Once a run, whoever comes first; all wait for the same look. Raises CallFailed."""
        check = self._hosts_check
        if check is None or (check.done() and (check.cancelled() or check.exception())):
            check = self._hosts_check = asyncio.ensure_future(self._downloads.check_hosts())
        await asyncio.shield(check)

    def server_time(self) -> float | None:
        return self._api.server_time()

    async def collect(self, step: Step) -> Step:
        if isinstance(step, Accepted):
            return await self._poll(step)
        if isinstance(step, PaidUnfetched | Completed):
            return step
        try:
            data = await self._downloads.fetch(step.url)
        except CallFailed as lost:
            failure = replace(lost.failure, cost=step.cost, request_id=step.request_id)
            raise CallFailed(failure) from None
        return Completed(data, step.cost, step.request_id, step.details)

    def fetcher(self, step: ResultKnown) -> Callable[[], bytes] | None:
        private = self._context.operator.allow_private_network
        return partial(fetch_apart, self._hosts, private, step.url)

    @property
    def _api(self) -> Api[H]:
        assert self._opened is not None, "open() comes first"
        return self._opened[0]

    @property
    def _downloads(self) -> Downloads:
        assert self._opened is not None, "open() comes first"
        return self._opened[1]

    @property
    def _whose(self) -> str:
        """Tells calls of one key from those of another. Of the key only a part of a digest."""
        told = f"{self._hosts.api} {self._api.key}".encode()
        return hashlib.sha256(told).hexdigest()[:16]

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self._context.notice(words)
