"""A ComfyUI backend over real loopback sockets: the emulator, or a server that misbehaves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from relightflow.backends.comfyui import models
from relightflow.backends.comfyui.adapter import ComfyUI
from relightflow.backends.comfyui.server import URL, from_environment
from tests.backends import queued
from tests.backends.queued import IMAGE, Connect, Emulate, Provider, QueueConnection, quick_polls

__all__ = ["IMAGE", "quick_polls"]
ComfyConnection = QueueConnection
ConnectComfy = Connect
EmulateComfy = Emulate
PROVIDER = Provider(
    "comfyui",
    models.MODELS,
    lambda context, url, clock: ComfyUI(context, from_environment({URL: url}), clock),
    {"prompt": "dusk"},
)


@pytest.fixture
async def connect() -> AsyncIterator[ConnectComfy]:
    async with queued.connecting(PROVIDER) as connect:
        yield connect


@pytest.fixture
async def emulate() -> AsyncIterator[EmulateComfy]:
    async with queued.emulating("comfyui") as emulate:
        yield emulate
