"""Writes into a sheet what it was made of, so that an unchanged sheet is not drawn again.

The seal stands at a fixed place near the file's beginning (a JPEG comment, a PNG text chunk) and
holds two hashes: of all that the sheet shows, and of the file without the seal. A sheet that was
edited, or that shows something else by now, does not match.
"""

from __future__ import annotations

import hashlib
import struct
import zlib

_WORD = b"relightflow sheet "
_JPEG_AT = 2
"""After the start marker (ITU-T T.81, B.1.1.3)."""
_PNG_AT = 33
"""After signature and IHDR (PNG specification, 5.6)."""


def with_fingerprint(body: bytes, shows: str) -> bytes:
    """`body`, a JPEG or PNG file, with the seal in it. `shows`: a hash in hex."""
    at = _place(body)
    return body[:at] + _fingerprint(body, shows) + body[at:]


def matches(data: bytes, shows: str) -> bool:
    """Whether `data` is a whole, untouched sheet that shows `shows`."""
    at = _place(data)
    size = len(_fingerprint(data, shows))
    body = data[:at] + data[at + size :]
    return data[at : at + size] == _fingerprint(body, shows)


def _place(data: bytes) -> int:
    return _PNG_AT if data.startswith(b"\x89PNG") else _JPEG_AT


def _fingerprint(body: bytes, shows: str) -> bytes:
    text = _WORD + f"{shows} {hashlib.sha256(body).hexdigest()}".encode()
    if _place(body) == _JPEG_AT:
        return b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
    chunk = b"tEXtComment\0" + text
    return struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
