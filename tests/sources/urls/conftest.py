"""A real web server in a thread, and sources that read from it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from relightflow.model.image import Image, Rejected
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import OperatorPolicy, SourceContext
from relightflow.sources.urls.fetch import FetchLimits
from relightflow.sources.urls.source import Urls
from tests.sources.conftest import image_bytes

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Item = Image | Rejected
PRIVATE_NETWORK = OperatorPolicy(allow_private_network=True)


@dataclass
class Site:
    """What the server has, and what it was asked."""

    base: str = ""
    port: int = 0
    pages: dict[str, Handler | bytes] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Path → headers of a page of bytes."""
    asked: list[web.BaseRequest] = field(default_factory=list)
    connections: int = 0
    stop: Callable[[], None] = field(default=lambda: None)
    """Ends the server, before the test does."""

    @property
    def paths(self) -> list[str]:
        return [request.path_qs for request in self.asked]

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request)
        page = self.pages.get(request.path)
        if page is None:
            return web.Response(status=404, text="nothing here")
        if not isinstance(page, bytes):
            return await page(request)  # type: ignore[arg-type]  # a server without routes gives BaseRequest
        headers = self.headers.get(request.path, {})
        etag = headers.get("ETag")
        modified = headers.get("Last-Modified")
        if etag and request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        if not etag and modified and request.headers.get("If-Modified-Since") == modified:
            return web.Response(status=304, headers=headers)
        return web.Response(body=page, headers={"Content-Type": "image/jpeg", **headers})


class _Running:
    def __init__(self, host: str) -> None:
        self.site = Site()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._ready = threading.Event()
        self._host = host
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        self._ready.wait(10)

    async def _serve(self) -> None:
        runner = web.ServerRunner(
            web.Server(lambda request: self.site.answer(request)), shutdown_timeout=0.1
        )
        await runner.setup()
        await web.TCPSite(runner, self._host, 0).start()
        self.site.port = runner.addresses[0][1]
        self.site.base = f"http://{self._host}:{self.site.port}"
        self._ready.set()
        await self._ended.wait()
        await runner.cleanup()

    def stop(self) -> None:
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def serve() -> Iterator[Callable[[str], Site]]:
    """`serve("127.0.0.2")`: a server there."""
    running: list[_Running] = []

    def start(host: str) -> Site:
        running.append(_Running(host))
        running[-1].site.stop = running[-1].stop
        return running[-1].site

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def site(serve: Callable[[str], Site]) -> Site:
    found = serve("127.0.0.1")
    found.pages["/a.jpg"] = image_bytes()
    return found


class Names(AbstractResolver):
    """A name server: answers in turn, the last one for ever."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [_resolved(host, address, port) for address in answer]

    async def close(self) -> None:
        pass


def _resolved(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=flags
    )


Make = Callable[..., Urls]


@pytest.fixture
def make(project: Path) -> Iterator[Make]:
    """`make("http://…", file=…, cache=…, operator=…, limits=…)`: a source, closed at the end."""
    made: list[Urls] = []

    def source(
        *urls: str,
        cache: Path | None = None,
        operator: OperatorPolicy = PRIVATE_NETWORK,
        limits: FetchLimits | None = None,
        resolver: AbstractResolver | None = None,
        **options: Any,
    ) -> Urls:
        if urls:
            options["urls"] = urls
        context = SourceContext(project, FrozenMap(options), 3, operator, cache)
        made.append(Urls(context, limits, resolver, _at_once))
        return made[-1]

    yield source
    for one in made:
        one.close()


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


def images(source: Urls) -> list[Image]:
    return [item for item in source.scan() if isinstance(item, Image)]


def only(source: Urls) -> Item:
    (item,) = source.scan()
    assert isinstance(item, Image | Rejected)
    return item


def reason(source: Urls) -> str:
    item = only(source)
    assert isinstance(item, Rejected), item
    return item.reason
