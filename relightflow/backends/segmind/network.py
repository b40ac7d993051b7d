"""Connections: one session with the API, one without a key for downloads; capped, timed reading.

The download session resolves a name once, checks every address, and connects to those addresses, so
a name cannot change its mind in between. No session follows redirects, keeps cookies or unpacks
answers by itself, and none retries a call that costs.
"""

from __future__ import annotations

import socket
import zlib
from collections.abc import AsyncIterator

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from relightflow.backends.segmind.hosts import public_address

IMAGE_CAP = 64 << 20
JSON_CAP = 1 << 20
CONNECT_SECONDS = 15.0
IDLE_SECONDS = 4.0
"""An idle connection older than this is not used again: servers close theirs after 5 s or more, and
a call that costs must not meet a connection that is just being closed."""


class TooLarge(Exception):
    """An answer went over its cap."""


class Unreadable(Exception):
    """An answer is packed in a way that we did not ask for, or not packed as it says."""


class PrivateAddress(OSError):
    """A name led to an address that is not of the open internet."""


class PublicOnly(AbstractResolver):
    """Resolves names, and refuses those that lead to any private address."""

    def __init__(self, exempt: str | None, inner: AbstractResolver | None = None) -> None:
        self._exempt = exempt
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if host != self._exempt and not all(public_address(r["host"]) for r in found):
            raise PrivateAddress(f"{host} leads to a private address")
        return found

    async def close(self) -> None:
        await self._inner.close()


def api_session() -> aiohttp.ClientSession:
    """For the API hosts. The key is no default of the session: each call adds it for its host."""
    return _session(aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS))


def download_session(
    exempt: str | None, resolver: AbstractResolver | None = None
) -> aiohttp.ClientSession:
    """For results. `exempt`: the host whose address may be private (the override's)."""
    connector = aiohttp.TCPConnector(
        limit=0,
        keepalive_timeout=IDLE_SECONDS,
        resolver=PublicOnly(exempt, resolver),
        use_dns_cache=False,
    )
    return _session(connector)


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    # limit=0: the engine's `limits.concurrency` is the only limit, with no second queue beneath it
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": "relightflow", "Accept-Encoding": "identity"},
    )


def timeout(seconds: float, total: float | None = None) -> aiohttp.ClientTimeout:
    """At most `seconds` without a byte, and `total` (default: twice that) for everything."""
    return aiohttp.ClientTimeout(
        total=total or seconds * 2, sock_connect=CONNECT_SECONDS, sock_read=seconds
    )


async def read(response: aiohttp.ClientResponse, cap: int) -> bytes:
    """The whole body, unpacked, at most `cap` bytes. Raises TooLarge, Unreadable, ClientError."""
    parts = [part async for part in pieces(response, cap)]
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def pieces(response: aiohttp.ClientResponse, cap: int) -> AsyncIterator[bytes]:
    """The body as it comes, counted after unpacking."""
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise Unreadable(f"content encoding '{packing[:20]}', which was not asked for")
    length = response.content_length
    if length is not None and length > cap:
        raise TooLarge(f"{length} bytes, over the cap of {cap}")
    unpack = None if packing in ("identity", "") else zlib.decompressobj(wbits=47)
    left = cap
    async for chunk in response.content.iter_any():
        piece = _unpacked(unpack, chunk, left) if unpack else chunk
        left -= len(piece)
        if left < 0:
            raise TooLarge(f"over the cap of {cap} bytes")
        if piece:
            yield piece
    if unpack and not unpack.eof:
        raise Unreadable("a packed answer that ends too early")


def _unpacked(unpack: zlib._Decompress, chunk: bytes, left: int) -> bytes:
    """At most one byte more than is allowed: a bomb is never unpacked."""
    try:
        return unpack.decompress(chunk, left + 1)
    except zlib.error:
        raise Unreadable("an answer that is not packed as it says") from None
