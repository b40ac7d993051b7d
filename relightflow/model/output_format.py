"""What a delivered image is: as the backend made it, or a copy in another form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
MEDIA_TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
"""The recipe's words for them."""
QUALITY = 90
"""Of a copy for which none was asked."""
_VERSION = 1
"""Raised when copies are made differently, so that old ones are made again."""


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """What a sink's option `format` asks for."""

    media_type: str
    quality: int | None = None
    """1 to 100; None: `QUALITY`, and what is of this type already stays as it is."""

    def keeps(self, media_type: str) -> bool:
        """Whether an image of this type is delivered byte for byte."""
        return self.quality is None and media_type == self.media_type

    def basis(self, sha256: str, media_type: str) -> str:
        """What a copy of the image `sha256` is made from: another one, another copy."""
        if self.keeps(media_type):
            return sha256
        quality = "" if self.media_type == "image/png" else f":{self.quality or QUALITY}"
        return f"{sha256}>{self.media_type}{quality}:{_VERSION}"


@dataclass(frozen=True, slots=True)
class Copy:
    """What was delivered in the place of a result."""

    sha256: str
    size: int
    """Bytes."""
    media_type: str
    metadata: bool = False
    """It is the very image, with metadata of the input added."""
    kept: bool = False
    """It is somebody's own work, accepted in the result's place."""

    def facts(self) -> dict[str, Any]:
        """As manifests tell it."""
        marks = {name: True for name in ("metadata", "kept") if getattr(self, name)}
        return {"sha256": self.sha256, "size": self.size, "media_type": self.media_type, **marks}


def output_format(options: Mapping[str, Any]) -> OutputFormat | None:
    """What the option `format` asks for: `webp`, or `{type: webp, quality: 80}`; None: nothing."""
    asked = options.get("format")
    if asked is None:
        return None
    if isinstance(asked, str):
        return OutputFormat(MEDIA_TYPES[asked])
    return OutputFormat(MEDIA_TYPES[asked["type"]], asked.get("quality"))


def extension(media_type: str) -> str:
    """Without a dot; `bin` for what we do not know."""
    return EXTENSIONS.get(media_type, "bin")
