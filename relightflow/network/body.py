"""Reads an answer's body: never more than a cap, counted after unpacking."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import aiohttp


class TooLarge(Exception):
    """An answer went over its cap."""


class Unreadable(Exception):
    """An answer is packed in a way that we did not ask for, or not packed as it says."""


async def read_body(response: aiohttp.ClientResponse, cap: int) -> bytes:
    """The whole body, unpacked, at most `cap` bytes. Raises TooLarge, Unreadable, ClientError."""
    parts = [part async for part in pieces(response, cap)]
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def pieces(response: aiohttp.ClientResponse, cap: int) -> AsyncIterator[bytes]:
    """The body as it comes, unpacked. Raises as `read_body` does."""
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise Unreadable(f"content encoding '{packing[:20]}', which was not asked for")
    length = response.content_length
    if length is not None and length > cap:
        raise TooLarge(f"{length} bytes, over the limit of {cap}")
    unpack = None if packing in ("identity", "") else zlib.decompressobj(wbits=47)
    left = cap
    async for chunk in response.content.iter_any():
        piece = _unpacked(unpack, chunk, left) if unpack else chunk
        left -= len(piece)
        if left < 0:
            raise TooLarge(f"over the limit of {cap} bytes")
        if piece:
            yield piece
    if unpack and not unpack.eof:
        raise Unreadable("a compressed response that ends too early")


def _unpacked(unpack: zlib._Decompress, chunk: bytes, left: int) -> bytes:
    """At most one byte more than is allowed: a bomb is never unpacked."""
    try:
        return unpack.decompress(chunk, left + 1)
    except zlib.error:
        raise Unreadable("a response that cannot be decompressed") from None
