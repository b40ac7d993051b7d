"""The backend, made and opened when the first call needs it, so that a run with nothing to do loads
no library, needs no key and opens no connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from relightflow.model.evidence import SERVER_TIME
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import (
    Backend,
    Call,
    HasIntentDetails,
    HasRequestBody,
    HasServerTime,
)

NOTHING = FrozenMap()


class LazyBackend:
    def __init__(
        self, create: Callable[[], Backend], on_open: Callable[[Backend], Awaitable[None]]
    ) -> None:
        """`on_open` is awaited with the backend once it is open, before its first use."""
        self._create = create
        self._on_open = on_open
        self._backend: Backend | None = None
        self._details: HasIntentDetails | None = None
        self._server_time: HasServerTime | None = None
        self._bodies: HasRequestBody | None = None
        self._turn = asyncio.Lock()

    async def get(self) -> Backend:
        """The open backend. Raises what its `create` and `open` raise, such as AccountError."""
        if self._backend is None:
            async with self._turn:
                if self._backend is None:
                    await self._open()
        assert self._backend
        return self._backend

    async def _open(self) -> None:
        backend = self._create()
        try:
            await backend.open()
            await self._on_open(backend)
        except BaseException:
            await backend.close()
            raise
        # asked once: a check against a protocol costs more than all else that is done for a call
        self._details = backend if isinstance(backend, HasIntentDetails) else None
        self._server_time = backend if isinstance(backend, HasServerTime) else None
        self._bodies = backend if isinstance(backend, HasRequestBody) else None
        self._backend = backend

    def intent_details(self, call: Call) -> FrozenMap:
        """What the backend wants written down before the call leaves, and the provider's time."""
        facts = self._details.intent_details(call) if self._details else NOTHING
        if self._server_time is None or SERVER_TIME in facts:
            return facts
        now = self._server_time.server_time()
        return facts if now is None else FrozenMap({SERVER_TIME: round(now, 3), **facts})

    def request_body(self, call: Call) -> bytes | None:
        """What is sent for the call, where it can be sent again; None: it cannot."""
        return self._bodies.request_body(call) if self._bodies else None

    async def close(self) -> None:
        if self._backend is not None:
            await self._backend.close()
            self._backend = self._details = self._server_time = self._bodies = None
