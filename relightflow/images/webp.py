"""A WebP's header: the RIFF chunks, and the size out of the first bytes of its bit stream.

Layout: RFC 9649, sections 2 and 3; RFC 6386, section 9.1 for the lossy frame.
"""

from __future__ import annotations

import struct

from relightflow.images.bad import animated, damaged, truncated
from relightflow.images.exif import orientation
from relightflow.images.header import WEBP, Header

_ANIMATION = 0x02
_MAX_CHUNKS = 1000


def is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def read(data: bytes) -> Header:
    """Raises BadImage where the file ends early, is animated, or its chunks make no sense."""
    (riff,) = struct.unpack_from("<I", data, 4)
    end = riff + 8
    if end > len(data):
        raise truncated("WebP")
    canvas: tuple[int, int] | None = None
    stream: tuple[int, int] | None = None
    turned = 1
    at = 12
    for _ in range(_MAX_CHUNKS):
        if at + 8 > end:
            break
        kind, length = struct.unpack_from("<4sI", data, at)
        body, at = at + 8, at + 8 + length + length % 2
        if body + length > end:
            raise truncated("WebP")
        if kind == b"VP8X":
            canvas = _canvas(data[body : body + length])
        elif kind in {b"ANIM", b"ANMF"}:
            raise animated("WebP")
        elif kind == b"VP8 ":
            stream = _lossy(data[body : body + 10])
        elif kind == b"VP8L":
            stream = _lossless(data[body : body + 5])
        elif kind == b"EXIF":
            turned = orientation(data[body : body + length])
    if stream is None:
        raise damaged("WebP", "contains no pixels")
    return Header(WEBP, *(canvas or stream), turned)


def _canvas(body: bytes) -> tuple[int, int]:
    if len(body) < 10:
        raise damaged("WebP", "its header chunk")
    if body[0] & _ANIMATION:
        raise animated("WebP")
    return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1


def _lossy(body: bytes) -> tuple[int, int]:
    if len(body) < 10 or body[3:6] != b"\x9d\x01\x2a":
        raise damaged("WebP", "the start of its frame")
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def _lossless(body: bytes) -> tuple[int, int]:
    if len(body) < 5 or body[0] != 0x2F:
        raise damaged("WebP", "the start of its stream")
    bits = int.from_bytes(body[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
