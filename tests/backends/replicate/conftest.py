"""A Replicate backend over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from relightflow.backends.replicate import models
from relightflow.backends.replicate.adapter import Replicate
from relightflow.backends.replicate.hosts import OVERRIDE, from_environment
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
KEY = "r8_0123456789abcdef"
ReplicateConnection = QueueConnection
ConnectReplicate = Connect
EmulateReplicate = Emulate
PROVIDER = Provider(
    "replicate",
    models.MODELS,
    lambda context, url, clock: Replicate(
        context, lambda _: KEY, from_environment({OVERRIDE: url}), clock
    ),
    {"prompt": "dusk"},
)


@pytest.fixture
async def connect() -> AsyncIterator[ConnectReplicate]:
    async with queued.connecting(PROVIDER) as connect:
        yield connect


@pytest.fixture
async def emulate() -> AsyncIterator[EmulateReplicate]:
    async with queued.emulating("replicate") as emulate:
        yield emulate
