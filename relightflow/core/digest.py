"""The sha256 of bytes that go through several hands, taken once.

A result is hashed where it is stored or read; where it is delivered it is mostly the same object, and not
hashed again.
"""

from __future__ import annotations

import hashlib
import threading


class _Last(threading.local):
    data = b""
    sha256 = hashlib.sha256(b"").hexdigest()


_last = _Last()
_LARGEST = 1 << 20
"""Bytes of what is remembered; larger objects are not kept from being freed."""


def sha256_of(data: bytes) -> str:
    """In hexadecimal."""
    if data is _last.data:
        return _last.sha256
    found = hashlib.sha256(data).hexdigest()
    remember(data, found)
    return found


def remember(data: bytes, sha256: str) -> None:
    """Note for this thread that `data`, this very object, has the digest `sha256` (hexadecimal): it is not checked."""
    if len(data) <= _LARGEST:
        _last.data, _last.sha256 = data, sha256
