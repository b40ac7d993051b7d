"""The base of a backend over HTTP: opening and closing, the provider's clock, and results by URL.

A provider adds its hosts, how its answers are read, and `submit`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from relightflow.backends.http import sessions
from relightflow.backends.http.client import Api
from relightflow.backends.http.download import Downloads, exempt, fetch_apart
from relightflow.backends.http.hosts import ProviderHosts
from relightflow.backends.http.polling import PollSchedule
from relightflow.backends.http.response import is_image_data
from relightflow.errors import AccountError, RefusedError
from relightflow.model.evidence import ACCOUNT
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, Call
from relightflow.plugins.records import BackendContext

_SMALL = 1 << 18


class HttpBackend(Backend):
    """Implements all of Backend but `submit`; its subclasses implement `_greet` and `_poll`."""

    def __init__(
        self,
        context: BackendContext,
        key: Callable[[Callable[[str], None]], str],
        hosts: ProviderHosts,
        override: str,
    ) -> None:
        """`key` reads the key and is given a function for notices. `override`: the environment variable
        that moves the hosts."""
        self._context = context
        self._read_key = key
        self._hosts = hosts
        self._override = override
        self._told: set[str] = set()
        self._opened: tuple[Api[Any], Downloads] | None = None
        self._pace = PollSchedule()
        self._waits: dict[str, Iterator[float]] = {}

    async def open(self) -> None:
        if self._context.operator.offline:
            raise RefusedError(
                f"the backend {self._hosts.provider} needs the network, and --offline is set"
            )
        key = self._read_key(self._tell)
        private = self._context.operator.allow_private_network
        api = Api(sessions.api_session(), self._hosts, key)
        session = sessions.download_session(*exempt(self._hosts), private=private)
        downloads = Downloads(session, self._hosts)
        self._opened = api, downloads
        if self._hosts.override:
            self._tell(
                f"{self._override} is set: {self._hosts.override} is used instead of "
                f"{self._hosts.provider}"
            )
        try:
            await self._greet()
        except CallFailed as error:
            if error.failure.kind is FailureKind.ACCOUNT:
                raise AccountError(error.failure.message) from None

    async def close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened[0].session.close()
            await opened[1].session.close()

    async def _greet(self) -> None:
        """One free call, so that the provider's time is known before anything is sent, and a refused
        key is. Raises CallFailed; only a refused key stops the opening."""
        raise NotImplementedError

    async def _poll(self, step: Accepted) -> Step:
        """Ask once what became of an accepted call. Raises CallFailed."""
        raise NotImplementedError(f"{type(self).__name__} accepts no calls")

    async def prepare(self, image: Image, data: bytes) -> str:
        """The image as a data URI, which goes inside the request: the very bytes, in base64."""
        if not is_image_data(data):
            words = f"{image.name!r} is not a JPEG, PNG or WebP image; not sent, not billed"
            raise CallFailed(Failure(FailureKind.BAD_IMAGE, words))
        encode: Callable[[bytes], bytes] = base64.b64encode
        coded = encode(data) if len(data) < _SMALL else await asyncio.to_thread(encode, data)
        return f"data:{image.media_type};base64,{coded.decode()}"

    def intent_details(self, call: Call) -> FrozenMap:  # noqa: ARG002  the same for every call
        """Whose call it is: names of calls are an account's. Of the key only a part of a digest."""
        told = f"{self._hosts.api} {self._api.key}".encode()
        return FrozenMap({ACCOUNT: hashlib.sha256(told).hexdigest()[:16]})

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

    def fetcher(self, step: ResultKnown) -> Callable[[], bytes]:
        private = self._context.operator.allow_private_network
        return partial(fetch_apart, self._hosts, private, step.url)

    def _next_poll(self, request_id: str) -> float:
        """Seconds after which an unfinished call is asked for again."""
        if request_id not in self._waits:
            self._waits[request_id] = self._pace.waits()
        return next(self._waits[request_id])

    def _finished(self, request_id: str) -> None:
        self._waits.pop(request_id, None)

    @property
    def _api(self) -> Api[Any]:
        assert self._opened is not None, "open() comes first"
        return self._opened[0]

    @property
    def _downloads(self) -> Downloads:
        assert self._opened is not None, "open() comes first"
        return self._opened[1]

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self._context.notice(words)
