"""A backend that queues calls, over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pytest

from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.faults.reading import parse
from relightflow.backends.emulator.images import tiny
from relightflow.backends.emulator.server import Running, start
from relightflow.backends.history.records import at_once
from relightflow.backends.http.backend import HttpBackend
from relightflow.backends.http.hosts import in_force
from relightflow.backends.http.polling import ClockFunctions
from relightflow.model.attempt import Attempt, State
from relightflow.model.catalog import Model
from relightflow.model.evidence import Evidence
from relightflow.model.failure import Billed
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.step import Accepted, Completed, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call, RecordsQuery
from relightflow.plugins.records import BackendContext, OperatorPolicy
from relightflow.testing.backend import InMemoryNotes

IMAGE = tiny()


def image(data: bytes = IMAGE, **facts: Any) -> Image:
    """An image with these bytes."""
    given: dict[str, Any] = {
        "name": "a.jpg", "sha256": hashlib.sha256(data).hexdigest(), "size": len(data),
        "width": 256, "height": 256, "media_type": "image/jpeg", "source": 0, "locator": "a.jpg",
    }  # fmt: skip
    return Image(**(given | facts))


@dataclass
class QueueConnection:
    """An open backend and what it said and remembered."""

    backend: Any
    provider: Provider
    notices: list[str]
    memory: InMemoryNotes
    naps: list[float]
    """Seconds it asked to sleep; none of them was slept."""

    def job(self, given: Image, number: int = 0, model: str = "", **cell: Any) -> Job:
        """The `number`th repeat of a cell."""
        row = self.provider.model(model)
        parameters = row.normalise(FrozenMap(self.provider.cell | cell))
        key = hashlib.sha256(f"{given.sha256}{parameters}{number}".encode()).hexdigest()
        return Job(key, given, self.provider.name, model or row.name, parameters, number)

    async def call(self, number: int = 0, model: str = "", **cell: Any) -> Call:
        given = image()
        prepared = await self.backend.prepare(given, IMAGE)
        return Call(self.job(given, number, model, **cell), prepared)

    async def submit(self, number: int = 0, model: str = "", **cell: Any) -> Step:
        step: Step = await self.backend.submit(await self.call(number, model, **cell))
        return step

    async def finish(self, step: Step) -> Completed:
        while not isinstance(step, Completed):
            step = await self.backend.collect(step)
        return step

    async def run(self, number: int = 0) -> Completed:
        return await self.finish(await self.submit(number))

    async def made(self, number: int, send: bool = True, **cell: Any) -> Attempt:
        """An attempt of which the id is kept apart, in `url`, as a test's own knowledge."""
        call = await self.call(number, **cell)
        await self.backend._history.server_time(at_once)
        details = self.backend.intent_details(call)
        now = self.backend.server_time()
        assert now is not None
        step = await self.backend.submit(call) if send else None
        request_id = step.request_id if isinstance(step, Accepted) else ""
        job = call.job
        return Attempt(
            number, job.key, "run", State.UNKNOWN, job.backend, job.model, job.image.sha256,
            job.parameters, 0, 40_000, None, Billed.UNKNOWN, "", request_id, "", "", now, 0.0, details,
        )  # fmt: skip

    async def look_up(self, doubt: Attempt, *known: Attempt) -> Evidence:
        """What the records say of `doubt`; of `known` the ids are known."""
        named = tuple(replace(one, request_id=one.url) for one in known)
        query = RecordsQuery((doubt,), named, frozenset(one.url for one in known), 0.0)
        found: Evidence = await self.backend.look_up(query, at_once)
        return found


class Make(Protocol):
    def __call__(self, context: BackendContext, url: str, clock: ClockFunctions) -> Any: ...


def with_key(adapter: type[HttpBackend[Any]], key: str) -> Make:
    """A backend that bears this key."""

    def make(context: BackendContext, url: str, clock: ClockFunctions) -> Any:
        usual: Any = adapter._usual
        allowed = context.operator.output_hosts
        return adapter(
            context, lambda _: key, in_force(usual, {usual.variable: url}, allowed), clock
        )

    return make


@dataclass(frozen=True)
class Provider:
    """One provider, as these tests speak to it."""

    name: str
    """Of its backend, and of the emulator's protocol."""
    models: tuple[Model, ...]
    make: Make
    """A backend whose hosts are all at that URL."""
    cell: dict[str, Any] = field(default_factory=dict)
    """What every call needs."""

    def model(self, name: str) -> Model:
        return next((model for model in self.models if model.name == name), self.models[0])


Connect = Callable[..., Awaitable[QueueConnection]]
Emulate = Callable[..., Awaitable[Running]]


@asynccontextmanager
async def connecting(provider: Provider) -> AsyncIterator[Connect]:
    """`await connect(url, delivery="inline")`: a backend whose hosts are all that one. It does not wait."""
    opened: list[Any] = []

    async def make(
        url: str,
        *,
        operator: OperatorPolicy | None = None,
        memory: InMemoryNotes | None = None,
        wall: Callable[[], float] = time.time,
        model: str = "",
        **options: Any,
    ) -> QueueConnection:
        notices: list[str] = []
        naps: list[float] = []
        notes = memory or InMemoryNotes()

        async def nap(seconds: float) -> None:
            naps.append(seconds)
            await asyncio.sleep(0)

        context = BackendContext(
            provider.model(model), FrozenMap(options), notes, notices.append,
            operator or OperatorPolicy(),
        )  # fmt: skip
        backend = provider.make(context, url, ClockFunctions(sleep=nap, wall=wall))
        opened.append(backend)
        await backend.open()
        return QueueConnection(backend, provider, notices, notes, naps)

    yield make
    for backend in opened:
        await backend.close()


@asynccontextmanager
async def emulating(protocol: str) -> AsyncIterator[Emulate]:
    """`await emulate(plan, history_lag=9)`: the emulator with that fault plan and configuration."""
    started: list[Running] = []

    async def make(plan: str = "", **facts: Any) -> Running:
        given = {"protocol": protocol, "latency": (0.0, 0.0), "image": "tiny"} | facts
        running = await start(Config(**given), plan=parse(plan) if plan else None)
        started.append(running)
        return running

    yield make
    for running in started:
        await running.stop()


def fixtures(provider: Provider) -> tuple[Any, Any]:
    """`connect` and `emulate` for a provider's conftest."""

    @pytest.fixture
    async def connect() -> AsyncIterator[Connect]:
        async with connecting(provider) as connect:
            yield connect

    @pytest.fixture
    async def emulate() -> AsyncIterator[Emulate]:
        async with emulating(provider.name) as emulate:
            yield emulate

    return connect, emulate


@pytest.fixture
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for a quarter of a second later is asked for at once."""
    monkeypatch.setattr("relightflow.backends.http.polling.FIRST", 0.001)
