"""One input image, as a source found it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Image:
    """A usable image. Its identity is `sha256`; its name only says where results go."""

    name: str
    """Path-like and relative, with `/`: how the source calls it. Untrusted text."""
    sha256: str
    """64 hex digits over the bytes as stored."""
    size: int
    """Bytes."""
    width: int
    """Pixels, after EXIF orientation."""
    height: int
    """Pixels, after EXIF orientation."""
    media_type: str
    """`image/jpeg`, `image/png`, `image/webp`, or with the extra `formats` `image/heic`, `image/avif` or
    `image/tiff`; by content."""
    source: int
    """Index of the recipe's source that found it."""
    locator: str = field(repr=False)
    """What the source needs to read it again (a path, a key). Never written to a manifest."""
    delivery: str = ""
    """How a remote backend is to get the bytes (`upload`, `inline`, `url`); empty: its own choice."""
    url: str = field(default="", repr=False)
    """Where the public finds the same bytes, if the source knows. May hold a secret."""

    @property
    def stem(self) -> str:
        """The last part of the name without its extension."""
        return PurePosixPath(self.name).stem


@dataclass(frozen=True, slots=True)
class Rejected:
    """An image that a source found and that cannot be used; the other images are not affected."""

    name: str
    """How the source calls it. Untrusted text."""
    reason: str
    """What is wrong and what to do, in words. Free of credentials."""
    source: int
    """Index of the recipe's source that found it."""
    refused: bool = False
    """True where a safety rule said no (exit code 9 instead of 1)."""
    passing: bool = False
    """True where nothing is known of the image because the way to it is broken for now: the plan is
    incomplete, and nothing is made from it (exit code 75)."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Files that a source found beside its images and left alone: they are no images, or no pattern
    means them. They are counted, so that nothing is dropped without a word."""

    kind: str
    """What they are, in short: the extension in capitals, as `XMP`."""
    source: int
    """Index of the recipe's source that found them."""
    count: int = 1
    """How many."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a source that is allowed and probably not meant."""

    message: str
    """What it is and what to do, in words. Free of credentials."""
    field: str
    """The option that it is about, as `include`."""
    source: int
    """Index of the recipe's source."""


Found = Image | Rejected | PassedOver | Remark
"""What a source yields."""
