from __future__ import annotations

import socket
from typing import Any

import aiohttp
import pytest


async def test_port_that_is_shut_is_refused_and_still_nobody_elses(connect: Any) -> None:
    client = await connect()
    client.emulator.provider.shut(60)
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.run()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", int(client.emulator.url.rpartition(":")[2])))


async def test_shutting_ends_idle_connections(connect: Any) -> None:
    client = await connect()
    await client.run()
    client.emulator.provider.shut(60)
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.run()


async def test_shutting_twice_is_shutting_once(connect: Any) -> None:
    client = await connect()
    client.emulator.provider.shut(0)
    client.emulator.provider.shut(60)
    answer = None
    while answer is None:
        try:
            answer = await client.run()
        except aiohttp.ClientConnectorError:
            answer = None
    assert answer.status == 200
