"""A client of a running emulator, over real loopback HTTP."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from relightflow.backends.emulator.clock import EmulatorClock
from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.faults.reading import parse
from relightflow.backends.emulator.images import tiny
from relightflow.backends.emulator.server import Running, start

KEY = "SG_0123456789abcdef"
CELL = {
    "light_direction": "left",
    "light_intensity": "mood",
    "light_temperature": "warm",
    "light_type": "softbox",
}
INLINE = "data:image/jpeg;base64," + base64.b64encode(tiny()).decode()
MODEL = "segmind-relighting"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    emulator: Running
    session: aiohttp.ClientSession
    clock: EmulatorClock

    async def ask(self, method: str, path: str, key: str | None = KEY, **more: Any) -> Answer:
        url = path if path.startswith("http") else self.emulator.url + path
        headers = more.pop("headers", {}) | ({"x-api-key": key} if key else {})
        async with self.session.request(
            method, url, headers=headers, allow_redirects=False, **more
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.ask("GET", path, **more)

    def post(self, **more: Any) -> Any:
        """A v1 call as a context, to read its answer piece by piece."""
        url = f"{self.emulator.url}/v1/{MODEL}"
        headers = {"x-api-key": KEY}
        return self.session.post(url, json={"image": INLINE} | CELL, headers=headers, **more)

    async def run(self, api: str = "v1", model: str = MODEL, **fields: Any) -> Answer:
        more = {"timeout": fields.pop("timeout")} if "timeout" in fields else {}
        body = {"image": INLINE} | CELL | fields
        return await self.ask("POST", f"/{api}/{model}", json=body, **more)


Connect = Callable[..., Any]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """`await connect(plan, latency=…)`: a client of a new emulator, set up so."""
    opened: list[Client] = []

    async def make(plan: str = "", **facts: Any) -> Client:
        config = Config(**{"latency": (0.0, 0.0), "image": "tiny"} | facts)
        clock = EmulatorClock(config.clock_skew)
        faults = parse(plan) if plan else None
        client = Client(await start(config, clock, faults), aiohttp.ClientSession(), clock)
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.session.close()
        await client.emulator.stop()
