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
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_MOST_PROFILE = 32 << 20
"""Bytes of an unpacked profile; the largest in use, of printers, have a few MB."""
_PIECE = 1 << 20
"""Bytes that are unpacked at a time."""
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
)  # fmt: skip
"""First column and row, and the steps, of each pass of an interlaced image (section 8.2)."""
_GREY, _RGB = 0, 2
"""Colour types without an alpha channel and without a palette."""


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


def check_rows(data: bytes) -> None:
    """Unpack the rows and count them, since a decoder makes up those that are missing. Raises BadImage."""
    wanted = _row_bytes(data)
    unpacking, at, found = zlib.decompressobj(), len(SIGNATURE), 0
    try:
        while at + 12 <= len(data) and found < wanted:
            length, kind = struct.unpack_from(">I4s", data, at)
            if kind == b"IDAT":
                left = data[at + 8 : at + 8 + length]
                while left and found < wanted and not unpacking.eof:
                    found += len(unpacking.decompress(left, _PIECE))
                    left = unpacking.unconsumed_tail
            at += 12 + length
    except zlib.error as error:
        raise damaged("PNG", "its pixels cannot be decoded") from error
    if found < wanted:
        raise truncated("PNG")


def _row_bytes(data: bytes) -> int:
    """Bytes of all rows, each with its filter byte, as the header announces them."""
    width, height, bits, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    pixel = bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    total = 0
    for x, y, step_x, step_y in passes:
        across, down = -(-(width - x) // step_x), -(-(height - y) // step_y)
        if across > 0 and down > 0:
            total += down * (1 + -(-across * pixel // 8))
    return total


def without_extras(data: bytes) -> tuple[bytes, bytes | None]:
    """The image without texts and colour profile, which a decoder bounds to sizes that sound images
    exceed; and the profile. `data` has been read by `read`."""
    kept, profile, at = [SIGNATURE], None, len(SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"iCCP":
            profile = _unpacked(data[at + 8 : at + 8 + length])
        elif kind not in _TEXTS:
            kept.append(data[at : at + 12 + length])
        at += 12 + length
        if kind == b"IEND":
            break
    return (b"".join(kept), profile) if len(kept) > 1 else (data, None)


def _unpacked(chunk: bytes) -> bytes | None:
    """The profile in an iCCP chunk; None where it is damaged or too large to be one."""
    _name, _, packed = chunk.partition(b"\0")
    unpacking = zlib.decompressobj()
    try:
        profile = unpacking.decompress(packed[1:], _MOST_PROFILE)
    except zlib.error:
        return None
    return profile if unpacking.eof else None


def transparent(data: bytes) -> tuple[int, tuple[int, ...]] | None:
    """Bits of a sample, and the one grey or colour that is transparent; None where there is none."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if (
            kind == b"tRNS"
            and data[25] in (_GREY, _RGB)
            and length >= (2 if data[25] == _GREY else 6)
        ):
            count = 1 if data[25] == _GREY else 3
            return data[24], struct.unpack_from(f">{count}H", data, at + 8)
        if kind == b"IDAT":
            return None
        at += 12 + length
    return None


def _size(data: bytes) -> tuple[int, int]:
    if len(data) < 33:
        raise truncated("PNG")
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    (crc,) = struct.unpack_from(">I", data, 29)
    if kind != b"IHDR" or length != 13 or zlib.crc32(data[12:29]) != crc:
        raise damaged("PNG", "its first chunk")
    return width, height
