"""What makes each image its own, and the one small ready-made JPEG for load tests.

As with the provider, no two requests give the same bytes: each image carries its request's id as a
comment. For one request and output the bytes are always the same, so nothing needs to be stored.
"""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import PIL.Image


def media_type(data: bytes) -> str:
    """What `data` is, by content."""
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"


@cache
def tiny() -> bytes:
    """A JPEG of about 20 kB, made once."""
    side = 256
    noise = bytes(
        (x * 73 + y * 151 + (x * y) % 97 * 5) % 256 for y in range(side) for x in range(side)
    )
    pixels = PIL.Image.frombytes("L", (side, side), noise).convert("RGB")
    for quality in range(30, 96, 5):
        out = io.BytesIO()
        pixels.save(out, "JPEG", quality=quality)
        if out.tell() >= 19_000:
            break
    return out.getvalue()


def unique(data: bytes, comment: str) -> bytes:
    """`data` with `comment` inside, where the format has a place for one (JPEG, PNG)."""
    text = comment.encode()
    if data.startswith(b"\xff\xd8"):
        return data[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[2:]
    if data.startswith(b"\x89PNG"):
        chunk = b"tEXtComment\0" + text
        whole = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return data[:33] + whole + data[33:]
    return data
