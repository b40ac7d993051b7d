"""A ComfyUI backend over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from relightflow.backends.comfyui import models
from relightflow.backends.comfyui.adapter import ComfyUI
from relightflow.backends.comfyui.server import URL, from_environment
from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.faults.reading import parse
from relightflow.backends.emulator.images import tiny
from relightflow.backends.emulator.server import Running, start
from relightflow.backends.http.polling import ClockFunctions
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.step import Completed, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call
from relightflow.testing.backend import backend_context

IMAGE = tiny()


@dataclass
class ComfyConnection:
    backend: ComfyUI

    async def call(self, number: int = 0, **cell: Any) -> Call:
        digest = hashlib.sha256(IMAGE).hexdigest()
        image = Image("a.jpg", digest, len(IMAGE), 256, 256, "image/jpeg", 0, "a.jpg")
        prepared = await self.backend.prepare(image, IMAGE)
        model = models.MODELS[0]
        parameters = model.normalise(FrozenMap({"prompt": "dusk"} | cell))
        key = hashlib.sha256(f"{parameters}{number}".encode()).hexdigest()
        return Call(Job(key, image, "comfyui", model.name, parameters, number), prepared)

    async def finish(self, step: Step) -> Completed:
        while not isinstance(step, Completed):
            step = await self.backend.collect(step)
        return step


ConnectComfy = Callable[[str], Awaitable[ComfyConnection]]


@pytest.fixture
async def connect() -> AsyncIterator[ConnectComfy]:
    """`await connect(url)`: a backend of that server, which does not wait between looks."""
    opened: list[ComfyUI] = []

    async def make(url: str) -> ComfyConnection:
        async def nap(_: float) -> None:
            await asyncio.sleep(0)

        context = backend_context(models.MODELS[0])
        backend = ComfyUI(context, from_environment({URL: url}), ClockFunctions(sleep=nap))
        await backend.open()
        opened.append(backend)
        return ComfyConnection(backend)

    yield make
    for backend in opened:
        await backend.close()


EmulateComfy = Callable[..., Awaitable[Running]]


@pytest.fixture
async def emulate() -> AsyncIterator[EmulateComfy]:
    """`await emulate(plan, …)`: the emulator with that fault plan and configuration."""
    started: list[Running] = []

    async def make(plan: str = "", **facts: Any) -> Running:
        given = {"protocol": "comfyui", "latency": (0.0, 0.0), "image": "tiny"} | facts
        running = await start(Config(**given), plan=parse(plan) if plan else None)
        started.append(running)
        return running

    yield make
    for running in started:
        await running.stop()


@pytest.fixture
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for a quarter of a second later is asked for at once."""
    monkeypatch.setattr("relightflow.backends.http.polling.FIRST", 0.001)
