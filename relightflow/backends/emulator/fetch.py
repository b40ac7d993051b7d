"""Where an input image comes from: our own assets, a `data:` URI, a loopback URL. Nowhere else.

A public URL is never asked for: a stand-in image takes its place, so that a recipe with public
URLs can be rehearsed without the network.
"""

from __future__ import annotations

import hashlib
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from relightflow.backends.emulator.assets import AssetStore, from_data_uri
from relightflow.backends.emulator.config import is_loopback
from relightflow.images import BadImage, probe

_LARGEST = 64 << 20


class Unreachable(Exception):
    """The input image cannot be had; the message says why."""


def look(image: str, assets: AssetStore, now: float) -> str:
    """`image` as a bill shows it: a URL as it is, a `data:` URI by the sha256 of its bytes.

    Raises Unreachable where it is plain, without any network, that it cannot be had or is not an image.
    """
    if image.startswith("data:"):
        data = _image(_decode(image))
        return f"data:sha256={hashlib.sha256(data).hexdigest()}"
    parts = urlsplit(image)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreachable("the image must be an http(s) URL or a data URI")
    if (name := _upload(parts.path)) and is_loopback(parts.hostname):
        asset = assets.uploaded(name, now)
        if asset is None:
            raise Unreachable("the image URL answered 404")
        _image(asset.data)
    return image


def read(image: str, assets: AssetStore, now: float) -> bytes | None:
    """The image's bytes; None for a public URL. Blocks: call it in a thread. Raises Unreachable."""
    if image.startswith("data:"):
        return _decode(image)
    parts = urlsplit(image)
    if not is_loopback(parts.hostname or ""):
        return None
    if name := _upload(parts.path):
        asset = assets.uploaded(name, now)
        if asset is not None:
            return asset.data
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=5)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
        answer = connection.getresponse()
        if answer.status != 200:
            raise Unreachable(f"the image URL answered {answer.status}")
        return answer.read(_LARGEST)
    except (OSError, HTTPException) as problem:
        raise Unreachable(f"the image URL cannot be read: {problem}") from None
    finally:
        connection.close()


def _upload(path: str) -> str:
    """The name of our own upload at `path`, whether anybody or only the account may read it; else empty."""
    place = next((place for place in ("/assets/", "/v1/files/") if path.startswith(place)), "")
    return path.removeprefix(place) if place else ""


def _decode(image: str) -> bytes:
    try:
        return from_data_uri(image)[0]
    except ValueError as problem:
        raise Unreachable(str(problem)) from None


def _image(data: bytes) -> bytes:
    try:
        probe(data)
    except BadImage as bad:
        raise Unreachable(f"not an image: {bad.reason}") from None
    return data
