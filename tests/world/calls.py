"""The provider's memory: uploaded images, calls, and the bill; and what an image looks like."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PARAMETERS = ("light_direction", "light_intensity", "light_temperature", "light_type")


def png(seed: str, width: int = 24, height: int = 24) -> bytes:
    """A valid PNG of coloured noise that only this seed has."""
    stream = b""
    need = height * width * 3
    while len(stream) < need:
        stream += hashlib.sha256(f"{seed}/{len(stream)}".encode()).digest()
    rows = (stream[y * width * 3 : (y + 1) * width * 3] for y in range(height))
    packed = zlib.compress(b"".join(b"\0" + row for row in rows))
    return png_file(width, height, packed)


def png_file(width: int, height: int, packed: bytes) -> bytes:
    """A PNG whose data is this zlib stream of 8-bit RGB rows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@dataclass(slots=True)
class Call:
    """One POST that the provider accepted."""

    request_id: str
    told_id: str
    """The id in the answer; another one only where `same_id` is set."""
    slug: str
    body: dict[str, Any]
    work: str
    """What was asked for: image bytes and parameters, however they were sent."""
    at: float
    """Epoch seconds of the provider's clock."""
    cost: float
    failed: bool
    result: bytes
    file: str
    polls: int = 0
    unnamed: int = 0
    reads: int = 0
    """History listings since."""

    @property
    def billed(self) -> bool:
        return not self.failed


@dataclass(slots=True)
class Memory:
    uploads: dict[str, bytes] = field(default_factory=dict)
    """By file name."""
    calls: list[Call] = field(default_factory=list)
    make_result: Callable[[str], bytes] = png
    """The image that a request id brings."""

    def upload(self, data_url: str) -> str:
        name = f"{uuid.uuid4()}.png"
        self.uploads[name] = base64.b64decode(data_url.partition(",")[2])
        return name

    def work(self, slug: str, body: dict[str, Any]) -> str:
        """The identity of what a body asks for."""
        inputs = {name: value for name, value in body.items() if name != "image"}
        image = hashlib.sha256(self._image(str(body.get("image", "")))).hexdigest()
        return json.dumps([slug, image, inputs], sort_keys=True)

    def accept(self, slug: str, body: dict[str, Any], at: float, cost: float, failed: bool) -> Call:
        request_id = str(uuid.uuid4())
        call = Call(
            request_id=request_id,
            told_id=request_id,
            slug=slug,
            body=body,
            work=self.work(slug, body),
            at=at,
            cost=0.0 if failed else cost,
            failed=failed,
            result=self.make_result(request_id),
            file=f"{uuid.uuid4()}.png",
        )
        self.calls.append(call)
        return call

    def find(self, request_id: str) -> Call | None:
        return next((call for call in self.calls if call.told_id == request_id), None)

    def _image(self, given: str) -> bytes:
        if given.startswith("data:"):
            return base64.b64decode(given.partition(",")[2])
        name = given.rpartition("/")[2]
        if name in self.uploads:
            return self.uploads[name]
        return given.encode()
