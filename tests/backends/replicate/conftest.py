"""A Replicate backend over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.faults.reading import parse
from relightflow.backends.emulator.images import tiny
from relightflow.backends.emulator.server import Running, start
from relightflow.backends.http.polling import ClockFunctions
from relightflow.backends.replicate import models
from relightflow.backends.replicate.adapter import Replicate
from relightflow.backends.replicate.hosts import OVERRIDE, from_environment
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.step import Completed, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call
from relightflow.plugins.records import BackendContext, OperatorPolicy
from relightflow.testing.backend import InMemoryNotes

KEY = "r8_0123456789abcdef"
IMAGE = tiny()


def image(data: bytes = IMAGE, **facts: Any) -> Image:
    """An image with these bytes."""
    given: dict[str, Any] = {
        "name": "a.jpg", "sha256": hashlib.sha256(data).hexdigest(), "size": len(data),
        "width": 256, "height": 256, "media_type": "image/jpeg", "source": 0, "locator": "a.jpg",
    }  # fmt: skip
    return Image(**(given | facts))


@dataclass
class ReplicateConnection:
    """An open backend and what it said and remembered."""

    backend: Replicate
    notices: list[str]
    naps: list[float]
    """Seconds it asked to sleep; none of them was slept."""

    async def call(self, number: int = 0, model: str = "", **cell: Any) -> Call:
        row = (models.row(model) or models.TABLE[0]).model
        given = image()
        prepared = await self.backend.prepare(given, IMAGE)
        parameters = row.normalise(FrozenMap({"prompt": "dusk"} | cell))
        key = hashlib.sha256(f"{given.sha256}{parameters}{number}".encode()).hexdigest()
        return Call(Job(key, given, "replicate", row.name, parameters, number), prepared)

    async def submit(self, number: int = 0, model: str = "", **cell: Any) -> Step:
        return await self.backend.submit(await self.call(number, model, **cell))

    async def finish(self, step: Step) -> Completed:
        while not isinstance(step, Completed):
            step = await self.backend.collect(step)
        return step


ConnectReplicate = Callable[..., Awaitable[ReplicateConnection]]


@pytest.fixture
async def connect() -> AsyncIterator[ConnectReplicate]:
    """`await connect(url, delivery="inline")`: a backend whose hosts are all that one."""
    opened: list[Replicate] = []

    async def make(
        url: str, *, wall: Callable[[], float] = time.time, model: str = "", **options: Any
    ) -> ReplicateConnection:
        notices: list[str] = []
        naps: list[float] = []

        async def nap(seconds: float) -> None:
            naps.append(seconds)
            await asyncio.sleep(0)

        context = BackendContext(
            (models.row(model) or models.TABLE[0]).model, FrozenMap(options), InMemoryNotes(),
            notices.append, OperatorPolicy(),
        )  # fmt: skip
        where = from_environment({OVERRIDE: url})
        backend = Replicate(context, lambda _: KEY, where, ClockFunctions(sleep=nap, wall=wall))
        await backend.open()
        opened.append(backend)
        return ReplicateConnection(backend, notices, naps)

    yield make
    for backend in opened:
        await backend.close()


EmulateReplicate = Callable[..., Awaitable[Running]]


@pytest.fixture
async def emulate() -> AsyncIterator[EmulateReplicate]:
    """`await emulate(plan, history_lag=9)`: the emulator with that fault plan and configuration."""
    started: list[Running] = []

    async def make(plan: str = "", **facts: Any) -> Running:
        given = {"protocol": "replicate", "latency": (0.0, 0.0), "image": "tiny"} | facts
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
