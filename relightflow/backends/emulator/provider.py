"""One emulated provider: its settings, its account, its files, its clock; and one call to it."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Any

from aiohttp import web

from relightflow.backends.emulator import fetch, images, rendering
from relightflow.backends.emulator.account import IMAGE_FIELDS, EmulatorAccount, parameters
from relightflow.backends.emulator.assets import AssetStore
from relightflow.backends.emulator.catalogue import declared
from relightflow.backends.emulator.clock import EmulatorClock
from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.record import Record
from relightflow.backends.emulator.window import FixedWindow
from relightflow.backends.emulator.wire import WireLog
from relightflow.model.values import FrozenMap

_CACHED_BYTES = 128 << 20


class Provider:
    """What outlives a call. Everything but rendering happens on the event loop."""

    def __init__(self, config: Config, clock: EmulatorClock | None = None) -> None:
        self.config = config
        self.clock = clock or EmulatorClock(config.clock_skew)
        self.account = EmulatorAccount(config.credits, config.journal)
        self.assets = AssetStore()
        self.window = FixedWindow(config.rate)
        self.wire = WireLog()
        self.rng = Random(config.seed)  # noqa: S311 - it must be repeatable, not secret
        self.base = ""
        """`http://host:port`, once it listens."""
        self.declared = declared(config.declared)
        """Models that the operator declared, by name."""
        self.places: dict[str, str] = {}
        """Where an uploaded file of a name is served, for a protocol that names them."""
        self.stopping = asyncio.Event()
        self.shut: Callable[[float], None] = lambda _: None
        """Refuses new connections for so many seconds; the server's doing."""
        self._threads = ThreadPoolExecutor(2, "emulator-render")
        self._rendered: OrderedDict[tuple[str, FrozenMap], bytes] = OrderedDict()
        self._rendered_bytes = 0
        self._lock = Lock()

    def recorded(self, since: Callable[[Record], float]) -> list[Record]:
        """What the request history has by now: it lags. `since`: when a record may be in it at the earliest, in
        the emulator's Unix seconds."""
        now, lag, newest = (
            self.clock.now(),
            self.config.history_lag,
            self.config.history_lag_requests,
        )
        taken = list(self.account)
        old = taken[:-newest] if newest else taken
        return [one for one in old if not one.hidden and since(one) + lag <= now]

    def expiry(self, life: float | None) -> float | None:
        """When what lives so many seconds is gone; None: never."""
        return None if life is None else self.clock.now() + life

    def latency(self, typical: float) -> float:
        """Seconds the next call takes."""
        low, high = self.config.latency or (typical * 0.9, typical * 1.1)
        return low if low == high else self.rng.uniform(low, high)

    async def image(self, record: Record, index: int) -> bytes:
        """The bytes of a request's output; always the same for the same request and index."""
        comment = f"{record.request_id} {index}"
        if self.config.image == "tiny":
            return images.unique(images.tiny(), comment)
        loop = asyncio.get_running_loop()
        rendered = await loop.run_in_executor(self._threads, self._render, record)
        return images.unique(rendered, comment)

    def _render(self, record: Record) -> bytes:
        image = next((record.body[name] for name in IMAGE_FIELDS if name in record.body), "")
        wanted = (image, FrozenMap(parameters(record)))
        with self._lock:
            found = self._rendered.get(wanted)
        if found is not None:
            return found
        try:
            original = fetch.read(image, self.assets, self.clock.now())
        except fetch.Unreachable:
            original = None
        data = rendering.render(original, image, wanted[1], record.media_type)
        self._keep(wanted, data)
        return data

    def _keep(self, wanted: tuple[str, FrozenMap], data: bytes) -> None:
        with self._lock:
            if wanted not in self._rendered:
                self._rendered[wanted] = data
                self._rendered_bytes += len(data)
            while self._rendered_bytes > _CACHED_BYTES:
                self._rendered_bytes -= len(self._rendered.popitem(last=False)[1])

    def close(self) -> None:
        self.account.close()
        self._threads.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class EmulatedCall:
    """One request to the provider on its way through: what was asked, and what a fault does to it."""

    provider: Provider
    request: web.BaseRequest
    phase: str
    """submit, status, result, download, upload, asset, credits or history."""
    answer: Callable[[EmulatedCall], Awaitable[web.StreamResponse]]
    """Answers as the provider should."""
    name: str = ""
    """The model, request id or file that the path names."""
    api: str = ""
    """`v1` or `v2`, for a submit."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """A submit's body, where a fault plan wants to look at it."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What a fault wants of the record that this call makes: `cost_times`, `error`, `hidden`, `life`,
    `seconds`."""

    async def proceed(self) -> web.StreamResponse:
        """The true answer, with everything that the call brings about."""
        return await self.answer(self)

    def url(self, path: str) -> str:
        """`path` on the host that the caller used, as a proxy in front of us says that it was."""
        host = self.request.headers.get("Host", "")
        secure = self.request.headers.get("X-Forwarded-Proto") == "https"
        return (
            f"http{'s' * secure}://{host}{path}"
            if _HOST.fullmatch(host)
            else self.provider.base + path
        )


_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9a-f:]+\](:\d+)?")
