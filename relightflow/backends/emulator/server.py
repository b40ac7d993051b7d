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

from aiohttp import web

from relightflow.backends.emulator import images, rendering
from relightflow.backends.emulator.account import bill
from relightflow.backends.emulator.clock import EmulatorClock
from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.faults.plan import Chooser, FaultPlan
from relightflow.backends.emulator.faults.reading import read
from relightflow.backends.emulator.handling import handle
from relightflow.backends.emulator.plain import BilledCall, Emulator
from relightflow.backends.emulator.port import Port
from relightflow.backends.emulator.protocols import PROTOCOLS
from relightflow.backends.emulator.provider import Provider
from relightflow.backends.emulator.requests import make_request
from relightflow.model.values import FrozenMap


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


async def start(
    config: Config, clock: EmulatorClock | None = None, plan: FaultPlan | None = None
) -> Running:
    """Listen as `config` says and return at once; `plan` takes the place of `config.faults`.

    Raises UsageError where the port is taken, the journal cannot be written or the plan is wrong.
    """
    if plan is None:
        plan = read(config.faults) if config.faults else FaultPlan()
    narrow = any(rule.kind.name == "reset-before-body" for rule in plan.rules)
    chooser = Chooser(plan, config.seed) if plan.rules else None
    with contextlib.ExitStack() as undo:
        provider = Provider(config, clock)
        undo.callback(provider.close)
        port = Port(config.host, config.port, narrow)
        server = web.Server(
            partial(handle, provider, chooser, port.busy),
            request_factory=make_request,
            access_log=None,
        )
        runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await runner.setup()
        provider.base, provider.shut = port.url, port.shut
        await port.open(server)
        undo.pop_all()
    return Running(port.url, provider, runner, port)


def serve(config: Config) -> None:
    """Listen until SIGINT or SIGTERM. Blocks; says where on standard output, in one line."""
    asyncio.run(_serve(config))


async def _serve(config: Config) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    opened = (
        plain(config).running(config.port)
        if PROTOCOLS[config.protocol].plain
        else await start(config)
    )
    async with opened as running:
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(f"listening on {running.url}\n")
            sys.stdout.flush()
        await ended.wait()


def plain(config: Config) -> Emulator:
    """The emulator of a plain protocol; its results are previews of the light."""
    seconds = max(config.latency) if config.latency else 10.0
    made: Emulator = PROTOCOLS[config.protocol].load()(next(iter(config.keys), ""), seconds)
    made.paint = _painted
    return made


def _painted(call: BilledCall) -> bytes:
    """A preview of what was asked for; words that the preview does not know change nothing."""
    prompt = " ".join(str(value) for value in call.parameters.values())
    return images.unique(rendering.render(call.image, "", FrozenMap({"prompt": prompt})), call.name)
