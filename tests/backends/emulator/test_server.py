from __future__ import annotations

import asyncio
import signal
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from relightflow.backends.emulator.config import Config, ServerRate
from relightflow.backends.emulator.images import tiny
from relightflow.backends.emulator.plain import BilledCall
from relightflow.backends.emulator.protocols import PROTOCOLS
from relightflow.backends.emulator.server import plain, start
from relightflow.errors import UsageError

Launch = Callable[..., Any]


@pytest.fixture
async def launch() -> AsyncIterator[Launch]:
    """`await launch("--port", "0", …)`: the emulator as a process of its own."""
    started: list[asyncio.subprocess.Process] = []

    async def begin(*arguments: str) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "relightflow.backends.emulator", *arguments)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _url(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert line.startswith("listening on http://127.0.0.1:")
    return line.split()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_process_says_where_it_listens_and_ends_on_a_signal(launch: Any, number: Any) -> None:
    process = await launch("--port", "0", "--image", "tiny")
    async with aiohttp.request("GET", await _url(process) + "/__bill") as answer:
        assert (await answer.json())["totals"]["requests"] == 0
    process.send_signal(number)
    assert await process.wait() == 0
    assert await process.stderr.read() == b""


@pytest.mark.parametrize("reset", [True, False])
async def test_caller_that_dies_in_the_middle_of_its_body_is_neither_billed_nor_told(
    launch: Any, reset: bool
) -> None:
    process = await launch("--image", "tiny")
    url = await _url(process)
    _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(
        b"POST /v1/segmind-relighting HTTP/1.1\r\nHost: x\r\nx-api-key: SG_0123456789abcdef\r\n"
        b"Content-Type: application/json\r\nContent-Length: 999\r\n\r\n{"
    )
    await writer.drain()
    async with aiohttp.ClientSession() as session, asyncio.timeout(10):
        await _until(session, url, lambda log: log["phases"] == {"submit": 1})
        if reset:
            writer.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
        writer.close()
        await _until(session, url, lambda log: log["statuses"] == {"submit 0": 1})
        async with session.get(url + "/__bill") as answer:
            assert (await answer.json())["totals"]["requests"] == 0
    process.terminate()
    _, said = await process.communicate()
    assert said == b""


async def _until(session: aiohttp.ClientSession, url: str, reached: Callable[[Any], bool]) -> None:
    """Ask for the wire log until it says so."""
    while True:
        async with session.get(url + "/__requests") as answer:
            if reached(await answer.json()):
                return


async def test_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}"):
            await start(Config(port=port))


async def test_stop_ends_hanging_calls_and_frees_the_port(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: hang}]")
    call = asyncio.create_task(client.run())
    async with asyncio.timeout(10):
        while not client.emulator.requests()["phases"]:  # noqa: ASYNC110 - real sockets in between
            await asyncio.sleep(0)
    await client.emulator.stop()
    with pytest.raises(aiohttp.ClientError):
        await call
    port = int(client.emulator.url.rpartition(":")[2])
    async with await start(Config(port=port)) as again:
        assert again.url == client.emulator.url


async def test_stop_can_be_said_twice(connect: Any) -> None:
    client = await connect()
    await client.emulator.stop()
    await client.emulator.stop()


@pytest.mark.parametrize("protocol", [n for n, p in PROTOCOLS.items() if p.plain])
async def test_a_plain_protocol_paints_what_was_asked_for(protocol: str) -> None:
    emulator = plain(Config(protocol=protocol, latency=(0.0, 0.0)))
    assert emulator.accepts("any key")
    assert not emulator.accepts("")
    emulator.bill += [
        BilledCall(light, "m", {"light_type": light}, tiny()) for light in ("sunlight", "spotlight")
    ]
    painted = [(await emulator.picture(call.name, b"")).body for call in emulator.bill]
    assert painted[0] != painted[1]
    assert all(data.startswith(b"\xff\xd8") for data in painted)


@pytest.mark.parametrize("more", [{"seed": 1}, {"rate": ServerRate(1, 1.0)}, {"keys": {"a", "b"}}])
def test_what_a_plain_protocol_would_pass_over_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="takes --port, --latency and one --key only"):
        Config(protocol="comfy", **more)
