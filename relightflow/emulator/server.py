"""Starts an emulator and stops it: `serve` for a process, `start` for a test's event loop.

Both listen on one port and print nothing but, with `serve`, one line to standard output:
`listening on http://127.0.0.1:43117`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
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
from relightflow.emulator.faults.kinds import Dropped
from relightflow.emulator.faults.plan import Chooser, Plan
from relightflow.emulator.faults.reading import read
from relightflow.emulator.gate import Refused
from relightflow.emulator.port import Port
from relightflow.emulator.provider import Provider
from relightflow.emulator.routes import route
from relightflow.emulator.wire import Seen

_LARGEST_BODY = 256 << 20


@dataclass(slots=True)
class Running:
    """An emulator that listens. Stop it, or use it as an asynchronous context."""

    url: str
    provider: Provider
    _runner: web.ServerRunner
    _port: Port

    def bill(self) -> dict[str, Any]:
        """What `GET /__bill` says."""
        return bill(self.provider.account)

    def requests(self) -> dict[str, Any]:
        """What `GET /__requests` says."""
        return self.provider.wire.summary()

    async def stop(self) -> None:
        """Close the port and every connection; the journal is complete when it returns."""
        self.provider.stopping.set()
        await self._port.close()
        await self._runner.cleanup()
        self.provider.close()

    async def __aenter__(self) -> Running:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def start(config: Config, clock: Clock | None = None, plan: Plan | None = None) -> Running:
    """Listen as `config` says and return at once; `plan` takes the place of `config.faults`.

    Raises UsageError where the port is taken or the fault plan is wrong.
    """
    if plan is None:
        plan = read(config.faults) if config.faults else Plan()
    narrow = any(rule.kind.name == "reset-before-body" for rule in plan.rules)
    port = Port(config.host, config.port, narrow)
    provider = Provider(config, clock)
    provider.base = port.url
    handle = partial(_handle, provider, Chooser(plan, config.seed) if plan.rules else None)
    server = web.Server(handle, request_factory=_request, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.2)
    await runner.setup()
    provider.shut = port.shut
    await port.open(server)
    return Running(provider.base, provider, runner, port)


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


async def _handle(
    provider: Provider, chooser: Chooser | None, request: web.BaseRequest
) -> web.StreamResponse:
    """Answer one request; whatever it may be, an answer in the provider's words."""
    try:
        call = route(provider, request)
    except Refused as refusal:
        _note(provider, request, "unknown")
        return refusal.answer
    if not call.phase:
        return await call.proceed()
    rule = chooser.choose(call) if chooser else None
    _note(provider, request, call.phase, rule.kind.name if rule else "")
    try:
        response = await (rule.kind.act(call, **rule.options) if rule else call.proceed())
    except Refused as refusal:
        response = refusal.answer
    except (Dropped, ConnectionError, web.RequestPayloadError):
        # dropped by a fault, or by a caller that died: there is nobody to answer
        provider.wire.answered(call.phase, 0)
        return web.Response()
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
