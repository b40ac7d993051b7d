from __future__ import annotations

import asyncio
import contextlib
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
    async with asyncio.timeout(10):
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.run()


async def test_shutting_lets_calls_finish_that_are_being_answered(connect: Any) -> None:
    client = await connect(latency=(0.1, 0.1))
    call = asyncio.create_task(client.run())
    async with asyncio.timeout(10):
        while not client.emulator.bill()["requests"]:  # noqa: ASYNC110 - real sockets in between
            await asyncio.sleep(0)
    client.emulator.provider.shut(60)
    assert (await call).status == 200


async def test_shutting_twice_is_shutting_once(connect: Any) -> None:
    client = await connect()
    client.emulator.provider.shut(0)
    client.emulator.provider.shut(60)
    answer = None
    async with asyncio.timeout(10):
        while answer is None:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                answer = await client.run()
    assert answer.status == 200
