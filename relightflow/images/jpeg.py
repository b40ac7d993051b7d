"""A JPEG's header: walks the segments up to the first scan, then looks for the end marker.

Layout: ITU-T T.81, annex B.
"""

from __future__ import annotations

import struct

from relightflow.images.bad import BadImage, damaged, truncated
from relightflow.images.exif import orientation
from relightflow.images.header import JPEG, Header

SIGNATURE = b"\xff\xd8\xff"
_END = b"\xff\xd9"
_SCAN = 0xDA
_EXIF = 0xE1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset(range(0xD0, 0xD8)) | {0x01}
_SPECIAL = _BARE | {0xD9, 0xFF}
_HEAD = struct.Struct(">BBH")
_MAX_SEGMENTS = 10_000


def read(data: bytes) -> Header:
    """Raises BadImage where the file ends early or its segments make no sense."""
    frame: tuple[int, int] | None = None
    turned = 1
    at = 2
    for _ in range(_MAX_SEGMENTS):
        marker, length = _segment(data, at)
        if length:
            at += 2
        else:
            marker, at = _marker(data, at)
            if marker in _BARE:
                continue
            length = _length(data, at)
        if marker in _FRAMES:
            frame = _frame(data, at, length)
        elif marker == _EXIF and turned == 1 and data[at + 2 : at + 8] == b"Exif\x00\x00":
            turned = orientation(data[at + 2 : at + length])
        elif marker == _SCAN:
            # the last one: a thumbnail or a table may hold the same two bytes
            if data.rfind(_END, at + length) < 0:
                raise truncated("JPEG")
            if frame is None:
                raise damaged("JPEG", "no size before the image")
            return Header(JPEG, *frame, turned)
        at += length
    raise damaged("JPEG", f"more than {_MAX_SEGMENTS:,} segments")


def _segment(data: bytes, at: int) -> tuple[int, int]:
    """Marker and length of an ordinary segment, quickly; a length of 0 where it must be looked at
    closely."""
    if at + 4 > len(data):
        return 0, 0
    first, marker, length = _HEAD.unpack_from(data, at)
    ordinary = first == 0xFF and marker not in _SPECIAL and 2 <= length <= len(data) - at - 2
    return (marker, length) if ordinary else (0, 0)


def _marker(data: bytes, at: int) -> tuple[int, int]:
    if at + 1 >= len(data):
        raise truncated("JPEG")
    if data[at] != 0xFF:
        raise damaged("JPEG", f"no marker at byte {at}")
    while at < len(data) and data[at] == 0xFF:
        at += 1
    if at >= len(data):
        raise truncated("JPEG")
    if data[at] == 0xD9:
        raise damaged("JPEG", "ends before the image data")
    return data[at], at + 1


def _length(data: bytes, at: int) -> int:
    if at + 2 > len(data):
        raise truncated("JPEG")
    (length,) = struct.unpack_from(">H", data, at)
    if length < 2:
        raise damaged("JPEG", f"a segment of {length} bytes")
    if at + length > len(data):
        raise truncated("JPEG")
    return int(length)


def _frame(data: bytes, at: int, length: int) -> tuple[int, int]:
    if length < 8:
        raise damaged("JPEG", "a frame without a size")
    precision, height, width = struct.unpack_from(">BHH", data, at + 2)
    if precision != 8:
        raise BadImage(f"{precision}-bit JPEG: save it as an 8-bit JPEG or a PNG")
    return width, height
