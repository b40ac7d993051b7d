"""A Segmind backend over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.images import tiny
from relightflow.backends.emulator.server import Running, start
from relightflow.backends.http.hosts import in_force
from relightflow.backends.http.polling import ClockFunctions
from relightflow.backends.segmind import models
from relightflow.backends.segmind.adapter import Segmind
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.backends.table import row_of
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.step import Completed, PaidUnfetched, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call
from relightflow.plugins.records import BackendContext, OperatorPolicy

KEY = "SG_0123456789abcdef"
IMAGE = tiny()


class InMemoryNotes:
    """A backend's memory without a ledger."""

    def __init__(self) -> None:
        self.notes: dict[str, str] = {}

    def recall(self, key: str) -> str | None:
        return self.notes.get(key)

    async def remember(self, key: str, value: str) -> None:
        self.notes[key] = value

    async def forget(self, key: str) -> None:
        self.notes.pop(key, None)


def image(data: bytes = IMAGE, **facts: Any) -> Image:
    """An image with these bytes."""
    given: dict[str, Any] = {
        "name": "a.jpg",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "width": 8,
        "height": 8,
        "media_type": "image/jpeg",
        "source": 0,
        "locator": "a.jpg",
    }
    return Image(**(given | facts))


def job(image_bytes: Image, number: int = 0, model: str = "segmind-relighting", **cell: Any) -> Job:
    """The `number`th repeat of a cell."""
    row = row_of(models.TABLE, model)
    parameters = FrozenMap(cell) if row is None else row.model.normalise(FrozenMap(cell))
    key = hashlib.sha256(f"{image_bytes.sha256}{parameters}{number}".encode()).hexdigest()
    return Job(key, image_bytes, "segmind", model, parameters, number)


@dataclass
class Connection:
    """An open backend and what it said and remembered."""

    backend: Segmind
    notices: list[str]
    memory: InMemoryNotes
    naps: list[float]
    """Seconds it asked to sleep; none of them was slept."""

    async def call(self, number: int = 0, model: str = "segmind-relighting", **cell: Any) -> Call:
        image_bytes = image()
        prepared = await self.backend.prepare(image_bytes, IMAGE)
        return Call(job(image_bytes, number, model, **cell), prepared)

    async def submit(self, number: int = 0) -> Step:
        return await self.backend.submit(await self.call(number))

    async def finish(self, step: Step) -> Completed:
        while not isinstance(step, Completed):
            step = await self.backend.collect(step)
        return step

    async def run(self, number: int = 0) -> Completed:
        return await self.finish(await self.submit(number))


Connect = Callable[..., Awaitable[Connection]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """`await connect(url, api="v1")`: a backend whose three hosts are that one."""
    opened: list[Segmind] = []

    async def make(
        url: str,
        *,
        operator: OperatorPolicy | None = None,
        memory: InMemoryNotes | None = None,
        wall: Callable[[], float] = time.time,
        **options: Any,
    ) -> Connection:
        notices: list[str] = []
        naps: list[float] = []
        notes = memory or InMemoryNotes()
        operator = operator or OperatorPolicy()

        async def nap(seconds: float) -> None:
            naps.append(seconds)
            await asyncio.sleep(0)

        context = BackendContext(
            models.MODELS[0], FrozenMap(options), notes, notices.append, operator
        )
        where = in_force(SegmindHosts(), {SegmindHosts().variable: url}, operator.output_hosts)
        backend = Segmind(context, lambda _: KEY, where, ClockFunctions(sleep=nap, wall=wall))
        await backend.open()
        opened.append(backend)
        return Connection(backend, notices, notes, naps)

    yield make
    for backend in opened:
        await backend.close()


Emulate = Callable[..., Awaitable[Running]]


@pytest.fixture
async def emulate() -> AsyncIterator[Emulate]:
    """`await emulate(no_v2=True)`: the emulator with that configuration, no latency."""
    started: list[Running] = []

    async def make(**facts: Any) -> Running:
        running = await start(Config(**({"latency": (0.0, 0.0), "image": "tiny"} | facts)))
        started.append(running)
        return running

    yield make
    for running in started:
        await running.stop()


def body_of(step: Step) -> PaidUnfetched:
    assert isinstance(step, PaidUnfetched)
    return step
