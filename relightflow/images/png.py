"""A PNG's header: walks the chunks by their lengths to the end chunk; no pixel is unpacked.

Layout: PNG specification (third edition), sections 5 and 11.
"""

from __future__ import annotations

import struct
import zlib

from relightflow.images.bad import animated, damaged, truncated
from relightflow.images.exif import orientation
from relightflow.images.header import PNG, Header

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 200_000


def read(data: bytes) -> Header:
    """Raises BadImage where the file ends early, is animated, or its header makes no sense."""
    width, height = _size(data)
    turned = 1
    pixels = False
    at = len(SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        if at + 12 > len(data):
            raise truncated("PNG")
        length, kind = struct.unpack_from(">I4s", data, at)
        body, at = at + 8, at + 12 + length
        if at > len(data):
            raise truncated("PNG")
        if kind == b"IDAT":
            pixels = True
        elif kind == b"acTL" and data[body : body + 4] > b"\x00\x00\x00\x01":
            raise animated("PNG")
        elif kind == b"eXIf":
            turned = orientation(data[body : body + length])
        elif kind == b"IEND":
            if not pixels:
                raise damaged("PNG", "contains no pixels")
            return Header(PNG, width, height, turned)
    raise damaged("PNG", f"more than {_MAX_CHUNKS:,} chunks")


def check(data: bytes) -> None:
    """Compare the checksums that a decoder skips. Raises BadImage where pixels were changed."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            (crc,) = struct.unpack_from(">I", data, at + 8 + length)
            if zlib.crc32(memoryview(data)[at + 4 : at + 8 + length]) != crc:
                raise damaged("PNG", f"the checksum at byte {at}")
        if kind == b"IEND":
            return
        at += 12 + length


def _size(data: bytes) -> tuple[int, int]:
    if len(data) < 33:
        raise truncated("PNG")
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    (crc,) = struct.unpack_from(">I", data, 29)
    if kind != b"IHDR" or length != 13 or zlib.crc32(data[12:29]) != crc:
        raise damaged("PNG", "its first chunk")
    return width, height
