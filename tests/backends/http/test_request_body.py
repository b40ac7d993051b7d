"""Where a connection breaks decides what may have been billed: real sockets, broken on purpose."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

import pytest

from relightflow.backends.http import request_body
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.plugins.backend import Call
from tests.backends.conftest import Handle, Listen, answer, error, request
from tests.backends.queued import Connect, QueueConnection
from tests.backends.segmind.conftest import image

LARGE = 6 << 20
"""Bytes of an inline image: more than any socket buffer takes at once."""


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, as a crashed or overloaded server does."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def sent(context: QueueConnection, size: int) -> Failure:
    """The verdict on a submit whose body has about `size` bytes."""
    image_bytes = image(b"\xff\xd8\xff" + bytes(size))
    prepared = await context.backend.prepare(image_bytes, b"\xff\xd8\xff" + bytes(size))
    return await error(context.backend.submit(Call(context.job(image_bytes), prepared)))


def reset_at_once() -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        reset(writer)

    return handle


def reset_in_the_body() -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(100_000)
        reset(writer)

    return handle


def close_in_the_body() -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(100_000)

    return handle


def reset_after_the_body() -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        reset(writer)

    return handle


def close_after_the_body() -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)

    return handle


def nonsense_after_the_body() -> Handle:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"\x00\x01 this is not HTTP\r\n\r\n")
        await writer.drain()

    return handle


@pytest.mark.parametrize("api", ["v1", "v2"])
@pytest.mark.parametrize("broken", [reset_at_once, reset_in_the_body, close_in_the_body])
async def test_a_break_before_the_body_was_complete_is_certainly_unsent(
    connect: Connect, listen: Listen, broken: Callable[[], Handle], api: str
) -> None:
    url = await listen(broken())
    failure = await sent(await connect(url, api=api, delivery="inline"), LARGE)
    assert (failure.kind, failure.billed) == (FailureKind.UNSENT, Billed.NO)


@pytest.mark.parametrize("api", ["v1", "v2"])
@pytest.mark.parametrize("size", [100, LARGE])
@pytest.mark.parametrize(
    "broken", [reset_after_the_body, close_after_the_body, nonsense_after_the_body]
)
async def test_a_break_after_the_body_is_an_unknown_outcome(
    connect: Connect, listen: Listen, broken: Callable[[], Handle], size: int, api: str
) -> None:
    url = await listen(broken())
    failure = await sent(await connect(url, api=api, delivery="inline"), size)
    assert (failure.kind, failure.billed) == (FailureKind.UNKNOWN, Billed.UNKNOWN)


async def test_a_small_body_that_may_have_arrived_is_never_called_unsent(
    connect: Connect, listen: Listen
) -> None:
    """Head and body leave in one piece: a reset says nothing about how much was read."""
    failure = await sent(await connect(await listen(reset_at_once()), delivery="inline"), 100)
    assert failure.kind is FailureKind.UNKNOWN


@pytest.mark.parametrize("suspended", [0.0, 600.0])
@pytest.mark.parametrize("size", [100, LARGE])
async def test_a_body_that_comes_ten_minutes_late_does_not_leave(
    connect: Connect, listen: Listen, monkeypatch: pytest.MonkeyPatch, size: int, suspended: float
) -> None:
    """The machine was suspended after the call was written down, and another one may have bought the job by now."""
    context = await connect(await listen(close_after_the_body()), delivery="inline")
    clock = iter([0.0])
    monkeypatch.setattr(request_body, "elapsed", lambda: next(clock, suspended))
    found = await sent(context, size)
    assert found.kind is (FailureKind.UNSENT if suspended else FailureKind.UNKNOWN)


async def test_a_body_does_not_leave_where_something_came_unasked() -> None:
    """It would be taken for the answer to this call, with another call's id."""

    class Kept:
        should_close = True
        transport = property(lambda self: self)

        def get_protocol(self) -> Kept:
            return self

    body = request_body.PhasedBody(b"{}")
    with pytest.raises(OSError, match="nobody had asked"):
        await body.write(Kept())  # type: ignore[arg-type]  # no more of a writer is looked at
    assert not body.released


async def test_nobody_listening_is_certainly_unsent(connect: Connect) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        context = await connect(f"http://127.0.0.1:{taken.getsockname()[1]}", delivery="inline")
        failure = await sent(context, 100)
    assert (failure.kind, failure.billed) == (FailureKind.UNSENT, Billed.NO)


async def test_an_answer_before_the_body_was_complete_is_an_answer(
    connect: Connect, listen: Listen
) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(401, {"error": "Unauthorized. API key is invalid"}))
        await writer.drain()
        await reader.read()  # until the client gives up its body

    failure = await sent(await connect(await listen(handle), delivery="inline"), LARGE)
    assert failure.kind is FailureKind.ACCOUNT


async def test_a_billable_call_is_sent_once_even_if_a_kept_connection_dies(
    connect: Connect, listen: Listen
) -> None:
    """The trap of keep-alive: the second call meets a connection that is being closed."""
    seen: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, _, _ = await request(reader)
        seen.append(first)
        writer.write(answer(200, {"request_id": "request-0001", "status": "QUEUED"}))
        await writer.drain()
        first, _, _ = await request(reader)
        seen.append(first)
        reset(writer)

    context = await connect(await listen(handle), delivery="inline")
    await context.submit(0)
    failure = await error(context.submit(1))
    assert failure.kind is FailureKind.UNKNOWN
    assert len(seen) == 2
