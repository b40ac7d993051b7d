"""Reads an answer's body: never more than a cap, counted after unpacking."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Sequence

import aiohttp

_OURS = frozenset({"gzip", "x-gzip", "deflate"})
_OTHERS = frozenset({"br", "zstd", "dcb", "dcz", "compress", "x-compress", "bzip2", "xz", "lzma"})


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
    packing = _packing(response.headers.getall("Content-Encoding", ()))
    length = response.content_length
    if length is not None and length > cap:
        raise TooLarge(f"{length} bytes, over the limit of {cap}")
    unpack = None
    left = cap
    first = True
    async for chunk in response.content.iter_any():
        if first and packing and _is_packed(chunk):
            unpack = zlib.decompressobj(wbits=47)
        first = False
        piece = _unpacked(unpack, chunk, left) if unpack else chunk
        left -= len(piece)
        if left < 0:
            raise TooLarge(f"over the limit of {cap} bytes")
        if piece:
            yield piece
    if unpack and not unpack.eof:
        raise Unreadable("a compressed response that ends too early")


def _packing(named: Sequence[str]) -> bool:
    """Whether a body may be packed. Raises Unreadable for what cannot be unpacked here.

    What packs nothing passes, as in browsers: people write `none`, `utf-8` or `image/jpeg` there, and
    Amazon's tools leave `aws-chunked` behind.
    """
    found = {name.strip().lower() for text in named for name in text.split(",")}
    if other := found & _OTHERS:
        raise Unreadable(f"content encoding '{min(other)}', which was not asked for")
    return bool(found & _OURS)


def _is_packed(start: bytes) -> bool:
    """Whether bytes begin as gzip or zlib do: many a server says so of files that are not."""
    if len(start) < 2:
        return True
    return start[:2] == b"\x1f\x8b" or (start[0] & 15 == 8 and int.from_bytes(start[:2]) % 31 == 0)


def _unpacked(unpack: zlib._Decompress, chunk: bytes, left: int) -> bytes:
    """At most one byte more than is allowed: a bomb is never unpacked."""
    try:
        return unpack.decompress(chunk, left + 1)
    except zlib.error:
        raise Unreadable("a response that cannot be decompressed") from None
