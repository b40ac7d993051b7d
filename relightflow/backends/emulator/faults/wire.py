"""Faults of the connection: refused, reset, silent, cut, slow, too much."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Literal, NoReturn

from aiohttp import web

from relightflow.backends.emulator.faults.kinds import Dropped, fault
from relightflow.backends.emulator.provider import EmulatedCall

How = Literal["reset", "close"]
"""`reset` sends RST, `close` sends FIN."""


def drop(call: EmulatedCall, how: How) -> NoReturn:
    """End the connection for real. What was written before a `close` still arrives."""
    transport = call.request.transport
    if transport is not None:
        if how == "reset":
            raw = transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        else:
            transport.close()
    raise Dropped


@fault("refuse")
async def refuse(call: EmulatedCall, *, seconds: float = 1.0) -> web.StreamResponse:
    """Reset this connection unread, close the idle ones, and refuse new ones for `seconds`. Unbilled."""
    call.provider.shut(seconds)
    drop(call, "reset")


@fault("reset-before-body")
async def _reset_before_body(call: EmulatedCall, *, how: How = "reset") -> web.StreamResponse:
    """Drop the connection once the headers are in, before the body is read. Unbilled.

    A body that fits into the sockets' buffers has left the caller all the same: only one of some
    hundred kilobytes (an image sent inline) is certain to be cut off.
    """
    drop(call, how)


@fault("reset-after-body")
async def _reset_after_body(
    call: EmulatedCall, *, billed: bool = True, how: How = "reset"
) -> web.StreamResponse:
    """Read everything, do the work if `billed`, and drop the connection without an answer."""
    await _done(call, billed)
    drop(call, how)


@fault("hang")
async def hang(
    call: EmulatedCall, *, billed: bool = True, seconds: float | None = None
) -> web.StreamResponse:
    """Read everything, do the work if `billed`, and stay silent; after `seconds` drop, else never."""
    await _done(call, billed)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(call.provider.stopping.wait(), seconds)
    drop(call, "close")


@fault("late")
async def late(call: EmulatedCall, *, seconds: float) -> web.StreamResponse:
    """The true answer, `seconds` later."""
    answer = await call.proceed()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(call.provider.stopping.wait(), seconds)
    return answer


@fault("cut")
async def cut(call: EmulatedCall, *, keep: float = 0.5, how: How = "close") -> web.StreamResponse:
    """True headers with the full length, then only the first part (`keep`) of the body."""
    answer, body = await true_answer(call)
    stream = await _begin(call, answer, str(len(body)))
    await stream.write(body[: int(len(body) * keep)])
    drop(call, how)


@fault("drip")
async def drip(call: EmulatedCall, *, pieces: int = 20, pause: float = 0.5) -> web.StreamResponse:
    """The true answer in so many pieces, with a pause after each."""
    answer, body = await true_answer(call)
    stream = await _begin(call, answer, str(len(body)))
    size = max(1, -(-len(body) // max(1, pieces)))
    for first in range(0, len(body), size):
        if call.provider.stopping.is_set():
            drop(call, "close")
        await stream.write(body[first : first + size])
        await asyncio.sleep(pause)
    return stream


@fault("oversize")
async def oversize(
    call: EmulatedCall, *, size: int = 70 << 20, declared: bool = True
) -> web.StreamResponse:
    """The true answer, padded with zeros to `size` bytes; the length is `declared` or left out."""
    answer, body = await true_answer(call)
    stream = await _begin(call, answer, str(size) if declared else None)
    async for piece in _padded(body, size):
        await stream.write(piece)
    return stream


@fault("bomb")
async def bomb(call: EmulatedCall, *, size: int = 200 << 20) -> web.StreamResponse:
    """The true answer as gzip that unpacks to `size` bytes and more."""
    answer, body = await true_answer(call)
    packed = await asyncio.to_thread(_packed, body, size)
    headers = dict(answer.headers) | {"Content-Encoding": "gzip"}
    headers.pop("Content-Length", None)
    return web.Response(body=packed, status=answer.status, headers=headers)


async def true_answer(call: EmulatedCall) -> tuple[web.Response, bytes]:
    """The true answer and its body."""
    answer = await call.proceed()
    assert isinstance(answer, web.Response)
    body = answer.body or b""
    assert isinstance(body, bytes)
    return answer, body


async def _done(call: EmulatedCall, billed: bool) -> None:
    if billed:
        await call.proceed()
    else:
        await call.request.read()


async def _begin(
    call: EmulatedCall, answer: web.Response, length: str | None
) -> web.StreamResponse:
    headers = dict(answer.headers)
    headers.pop("Content-Length", None)
    if length is not None:
        headers["Content-Length"] = length
    stream = web.StreamResponse(status=answer.status, headers=headers)
    await stream.prepare(call.request)
    return stream


async def _padded(body: bytes, size: int) -> AsyncIterator[bytes]:
    yield body[:size]
    left = size - len(body)
    zeros = b"\0" * (256 << 10)
    while left > 0:
        yield zeros[:left]
        left -= len(zeros)


def _packed(body: bytes, size: int) -> bytes:
    """`body` and zeros up to `size`, as one gzip stream: readers stop at the end of the first."""
    packer = zlib.compressobj(1, wbits=31)
    pieces = [packer.compress(body)]
    chunk = b"\0" * (1 << 20)
    pieces += [packer.compress(chunk) for _ in range(-(-(size - len(body)) // len(chunk)))]
    return b"".join((*pieces, packer.flush()))
