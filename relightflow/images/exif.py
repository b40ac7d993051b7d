"""Orientation out of an EXIF block: the one tag that changes what an image looks like.

Layout: TIFF 6.0, section 2; tag 0x0112 of the first directory (Exif 2.32, 4.6.4).
"""

from __future__ import annotations

import struct

_ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4
_MAX_ENTRIES = 1000


def orientation(block: bytes) -> int:
    """1 to 8; 1 wherever the block says nothing that can be trusted. Never raises."""
    tiff = block.removeprefix(b"Exif\x00\x00")
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for index in range(min(count, _MAX_ENTRIES)):
            at = start + 2 + 12 * index
            tag, kind = struct.unpack_from(order + "HH", tiff, at)
            if tag == _ORIENTATION and kind in {_SHORT, _LONG}:
                code = order + ("H" if kind == _SHORT else "I")
                (value,) = struct.unpack_from(code, tiff, at + 8)
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
