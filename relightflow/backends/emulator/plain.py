"""A small real server that stands for a provider, with its own bill and with faults on request.

A provider's emulator says which phase a request belongs to and answers it; this listens, counts, and
spoils the answers that a test asked it to. It keeps everything in memory and never calls anybody.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Literal

from aiohttp import web

from relightflow.backends.emulator.requests import make_request

PAGE = b"<html><body>The proxy could not do that</body></html>"
_BETWEEN_PIECES = 0.02
"""Seconds."""
How = Literal["unread", "lost", "closed", "instead", "behind", "cut", "drip", "hang", "change"]


@dataclass(slots=True)
class Spoil:
    """What happens to the next requests of a phase."""

    phase: str
    how: How
    """`unread`: reset, and not taken. `lost`, `closed`: taken, and reset or closed without an answer.
    `instead`: another answer, not taken. `behind`: taken, and another answer. `cut`: taken, and half an
    answer. `drip`: the true answer in pieces. `hang`: taken, and no answer for `seconds`. `change`: the
    true answer, changed."""
    times: int = 1
    after: int = 0
    """So many requests of the phase pass before the first is spoilt."""
    status: int = 502
    body: bytes = PAGE
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    change: Callable[[Any], Any] = lambda answer: answer
    """Of the JSON that is answered."""

    def meets(self, phase: str) -> bool:
        """Whether this request is spoilt; counts it."""
        if phase != self.phase or not self.times:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


@dataclass(frozen=True, slots=True)
class EmulatedAnswer:
    """What the provider answers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"

    @classmethod
    def of(cls, document: Any, status: int = 200, **headers: str) -> EmulatedAnswer:
        """`document` as JSON; `_` in a header's name stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(status, json.dumps(document).encode(), named)


@dataclass(slots=True)
class BilledCall:
    """One billed call."""

    name: str
    model: str
    parameters: Mapping[str, Any]
    image: bytes = field(repr=False)


class Emulator:
    """Derive from it: `phase` and `answer`."""

    def __init__(self, key: str, seconds: float = 0.0) -> None:
        """`key`: the only one that is accepted; empty: any. `seconds`: that a call takes."""
        self.key, self.seconds = key, seconds
        self.url = ""
        self.bill: list[BilledCall] = []
        self.faults: list[Spoil] = []
        self.seen: Counter[str] = Counter()
        """Phase → requests."""
        self.keyed: Counter[str] = Counter()
        """Phase → requests that carried the key."""
        self.paint: Callable[[BilledCall], bytes] | None = None
        """Makes the result of a call, in a thread; None: one small image for all."""
        self.skew = 0.0
        """Seconds by which its clock is ahead."""
        self._stopping = asyncio.Event()

    def phase(self, request: web.BaseRequest, body: bytes) -> str:
        """`submit` for the billable call; any name for the others."""
        raise NotImplementedError

    async def answer(self, request: web.BaseRequest, body: bytes) -> EmulatedAnswer:
        """What the provider answers, with everything that brings about."""
        raise NotImplementedError

    async def conversation(
        self,
        request: web.BaseRequest,  # noqa: ARG002  for those who override it
    ) -> web.StreamResponse | None:
        """For a request that is no single question, such as a WebSocket; None: it is one."""
        return None

    def accepts(self, key: str) -> bool:
        """Whether a call with this key is made."""
        return bool(key) and self.key in ("", key)

    async def picture(self, name: str, sample: bytes) -> EmulatedAnswer:
        """The result of the call `name`; `sample` where nothing is painted."""
        call = next((call for call in self.bill if call.name == name), None)
        if self.paint is not None and call is not None:
            sample = await asyncio.to_thread(self.paint, call)
        kind = "jpeg" if sample.startswith(b"\xff\xd8") else "png"
        kind = "webp" if sample.startswith(b"RIFF") else kind
        return EmulatedAnswer(200, sample, media_type=f"image/{kind}")

    @property
    def now(self) -> float:
        """Unix seconds, as its clock has them."""
        return time.time() + self.skew

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[Emulator]:
        """Listen on the loopback until the block ends."""
        runner = web.ServerRunner(
            web.Server(self._handle, request_factory=make_request, access_log=None),
            shutdown_timeout=0.1,
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self._stopping.set()
            await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if (stream := await self.conversation(request)) is not None:
            return stream
        body = await request.read()
        phase = self.phase(request, body)
        self.seen[phase] += 1
        self.keyed[phase] += self._has_key(request)
        fault = next((fault for fault in self.faults if fault.meets(phase)), None)
        if fault is None:
            return self._sent(await self.answer(request, body))
        if fault.how == "unread":
            return self._closed(request)
        if fault.how == "instead":
            return self._spoilt(fault)
        true = await self.answer(request, body)
        if fault.how == "behind":
            return self._spoilt(fault)
        if fault.how == "change":
            changed = fault.change(json.loads(true.body))
            return self._sent(
                EmulatedAnswer(true.status, json.dumps(changed).encode(), true.headers)
            )
        if fault.how in ("cut", "drip"):
            with suppress(ConnectionError):  # the caller was killed meanwhile
                return await self._in_parts(request, true, whole=fault.how == "drip")
        if fault.how == "hang":
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), fault.seconds)
        if fault.how == "closed" and request.transport is not None:
            request.transport.close()
            return web.Response()
        return self._closed(request)

    def _has_key(self, request: web.BaseRequest) -> bool:
        return bool(self.key) and any(self.key in value for value in request.headers.values())

    def _sent(self, answer: EmulatedAnswer) -> web.Response:
        headers = {"Date": formatdate(self.now, usegmt=True), **answer.headers}
        return web.Response(
            body=answer.body,
            status=answer.status,
            headers=headers,
            content_type=answer.media_type,
        )

    def _spoilt(self, fault: Spoil) -> web.Response:
        headers = {"Content-Type": "text/html", **fault.headers}
        return web.Response(body=fault.body, status=fault.status, headers=headers)

    def _closed(self, request: web.BaseRequest) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _in_parts(
        self, request: web.BaseRequest, answer: EmulatedAnswer, whole: bool
    ) -> web.StreamResponse:
        """`answer` in four pieces, or its first half."""
        stream = web.StreamResponse(status=answer.status, headers=dict(answer.headers))
        stream.content_type, stream.content_length = answer.media_type, len(answer.body)
        await stream.prepare(request)
        size = max(1, -(-len(answer.body) // 4))
        for number in range(4 if whole else 2):
            await stream.write(answer.body[number * size : (number + 1) * size])
            await asyncio.sleep(_BETWEEN_PIECES if whole else 0)
        if not whole:
            self._closed(request)
        return stream


def image_in(uri: object) -> bytes | None:
    """The bytes of a data URI; None where it is none."""
    if not isinstance(uri, str) or not uri.startswith("data:image/"):
        return None
    try:
        return base64.b64decode(uri.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        return None
