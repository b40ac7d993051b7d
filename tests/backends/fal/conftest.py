"""A fal backend over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from relightflow.backends.fal import models
from relightflow.backends.fal.adapter import Fal
from relightflow.backends.fal.hosts import OVERRIDE, from_environment
from tests.backends import queued
from tests.backends.queued import (
    IMAGE,
    Connect,
    Emulate,
    Provider,
    QueueConnection,
    image,
    quick_polls,
)

__all__ = ["IMAGE", "image", "quick_polls"]
KEY = "0123-4567:89abcdef"
FalConnection = QueueConnection
ConnectFal = Connect
EmulateFal = Emulate
PROVIDER = Provider(
    "fal",
    models.MODELS,
    lambda context, url, clock: Fal(
        context, lambda _: KEY, from_environment({OVERRIDE: url}), clock
    ),
)


@pytest.fixture
async def connect() -> AsyncIterator[ConnectFal]:
    async with queued.connecting(PROVIDER) as connect:
        yield connect


@pytest.fixture
async def emulate() -> AsyncIterator[EmulateFal]:
    async with queued.emulating("fal") as emulate:
        yield emulate
