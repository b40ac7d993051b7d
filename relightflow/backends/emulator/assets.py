"""Uploaded images and result files: what is served at public, unguessable URLs."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass

_EXTENSION = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class _Asset:
    data: bytes
    media_type: str
    expires: float | None
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A result file: made when it is asked for, from what it was asked of."""

    request_id: str
    index: int
    expires: float


class AssetStore:
    def __init__(self) -> None:
        self._uploads: dict[str, _Asset] = {}
        self._expected: dict[str, str] = {}
        """Name → media type."""
        self._outputs: dict[str, ResultFile] = {}

    def upload(self, data: bytes, media_type: str, expires: float | None) -> str:
        """Keep an image; its name under /assets/."""
        name = _new_name(media_type)
        self._uploads[name] = _Asset(data, media_type, expires)
        return name

    def expect(self, media_type: str) -> str:
        """Reserve a name under /assets/ for an image that `put` brings."""
        name = _new_name(media_type)
        self._expected[name] = media_type
        return name

    def put(self, name: str, data: bytes, media_type: str, expires: float | None) -> bool:
        """Keep the image for which `name` was reserved. False: there is none, or of another media type."""
        if self._expected.get(name) != media_type:
            return False
        self._uploads[name] = _Asset(data, media_type, expires)
        return True

    def uploaded(self, name: str, now: float) -> _Asset | None:
        asset = self._uploads.get(name)
        return asset if asset and (asset.expires is None or now < asset.expires) else None

    def promise(self, output: ResultFile) -> str:
        """Reserve a name under /outputs/ for a result."""
        name = secrets.token_urlsafe(24)
        self._outputs[name] = output
        return name

    def output(self, name: str, now: float) -> ResultFile | None:
        found = self._outputs.get(name)
        return found if found and now < found.expires else None


def _new_name(media_type: str) -> str:
    return f"{secrets.token_urlsafe(18)}.{_EXTENSION.get(media_type, 'bin')}"


def from_data_uri(uri: str) -> tuple[bytes, str]:
    """The bytes and media type of a base64 `data:` URI. Raises ValueError."""
    head, comma, payload = uri.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise ValueError("not a base64 data URI")
    try:
        data = base64.b64decode(payload, validate=True)
    except binascii.Error as problem:
        raise ValueError(f"not a base64 data URI: {problem}") from None
    return data, head.removeprefix("data:").split(";")[0]
