"""Servers on the loopback that misbehave, and what a failed call says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from relightflow.model.failure import CallFailed, Failure

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Listen = Callable[[Handle], Awaitable[str]]


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """`await listen(handle)`: the URL of a server that treats every connection so."""
    servers: list[asyncio.Server] = []
    writers: list[asyncio.StreamWriter] = []

    async def make(handle: Handle) -> str:
        async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writers.append(writer)
            try:
                await handle(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(guarded, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield make
    for server in servers:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


async def request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    """One whole request: its first line, headers (names in lower case) and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return first, headers, body


def answer(status: int, body: bytes | dict[str, Any] = b"", **headers: str) -> bytes:
    """An HTTP answer; `_` in a header's name stands for `-`."""
    if isinstance(body, dict):
        body = json.dumps(body).encode()
        headers = {"content_type": "application/json"} | headers
    headers = {"content_length": str(len(body))} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + body


Replies = Callable[[str, dict[str, str], bytes], bytes]


def replying(choose: Replies, seen: list[str] | None = None) -> Handle:
    """A handler that answers every request on its connection with what `choose` says."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            first, headers, body = await request(reader)
            if seen is not None:
                seen.append(first)
            writer.write(choose(first, headers, body))
            await writer.drain()

    return handle


async def error(awaited: Awaitable[Any]) -> Failure:
    """The failure that `awaited` ends with."""
    with pytest.raises(CallFailed) as caught:
        await awaited
    return caught.value.failure
