"""The sha256 of bytes that go through several hands, taken once.

A result is hashed where it is stored, where it is read and where it is delivered: mostly the same object,
in the same thread, one right after the other.
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
    if len(data) <= _LARGEST:
        _last.data, _last.sha256 = data, found
    return found
