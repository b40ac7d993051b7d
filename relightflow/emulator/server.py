"""Starts an emulator and stops it: `serve` for a process, `start` for a test's event loop.

Both listen on one port and print nothing but, with `serve`, one line to standard output:
`listening on http://127.0.0.1:43117`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage

from relightflow.emulator.account import bill
from relightflow.emulator.clock import Clock
from relightflow.emulator.config import Config
from relightflow.emulator.gate import Refused
from relightflow.emulator.provider import Provider
from relightflow.emulator.routes import route
from relightflow.emulator.wire import Seen
from relightflow.errors import UsageError

_LARGEST_BODY = 256 << 20


@dataclass(slots=True)
class Running:
    """An emulator that listens. Stop it, or use it as an asynchronous context."""

    url: str
    provider: Provider
    _runner: web.ServerRunner

    def bill(self) -> dict[str, Any]:
        """What `GET /__bill` says."""
        return bill(self.provider.account)

    def requests(self) -> dict[str, Any]:
        """What `GET /__requests` says."""
        return self.provider.wire.summary()

    async def stop(self) -> None:
        """Close the port and every connection; the journal is complete when it returns."""
        self.provider.stopping.set()
        await self._runner.cleanup()
        self.provider.close()

    async def __aenter__(self) -> Running:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def start(config: Config, clock: Clock | None = None) -> Running:
    """Listen as `config` says and return at once. Raises UsageError where the port is taken."""
    provider = Provider(config, clock)
    listener = _listen(config)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    provider.base = f"http://{shown}:{port}"
    server = web.Server(partial(_handle, provider), request_factory=_request, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.2)
    await runner.setup()
    await web.SockSite(runner, listener, backlog=1024).start()
    return Running(provider.base, provider, runner)


def serve(config: Config) -> None:
    """Listen until SIGINT or SIGTERM. Blocks; says where on standard output, in one line."""
    asyncio.run(_serve(config))


async def _serve(config: Config) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with await start(config) as running:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(f"listening on {running.url}\n")
            sys.stdout.flush()
        await ended.wait()


def _listen(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((config.host, config.port))
    except OSError as problem:
        listener.close()
        raise UsageError(
            f"cannot listen on {config.host}:{config.port}: {problem.strerror or problem}"
        ) from None
    return listener


async def _handle(provider: Provider, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one request; whatever it may be, an answer in the provider's words."""
    try:
        call = route(provider, request)
    except Refused as refusal:
        _note(provider, request, "unknown")
        return refusal.answer
    if not call.phase:
        return await call.proceed()
    _note(provider, request, call.phase)
    try:
        response = await call.proceed()
    except Refused as refusal:
        response = refusal.answer
    provider.wire.answered(call.phase, response.status)
    return response


def _note(provider: Provider, request: web.BaseRequest, phase: str, fault: str = "") -> None:
    headers = request.headers
    provider.wire.note(
        Seen(
            provider.clock.now(),
            request.method,
            request.path,
            headers.get("Host", ""),
            phase,
            "x-api-key" in headers or "Authorization" in headers,
            fault,
        )
    )


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    """As aiohttp makes one, with room for pictures sent inline."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(
        message, payload, protocol, writer, task, loop, client_max_size=_LARGEST_BODY
    )
