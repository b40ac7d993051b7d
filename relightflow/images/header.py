"""What the first bytes of an image say, as the three format readers hand it over."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.images.bad import BadImage

JPEG = "image/jpeg"
PNG = "image/png"
WEBP = "image/webp"

MAX_PIXELS = 80_000_000
"""Images with more pixels are refused before anything is decoded. Pillow's own alarm is at
89 million, so an image that passes here never sets it off."""

MAX_SIDE = 30_000
"""Pixels of one side. Longer ones are strips that no camera makes, and what works along a side takes
room for them that their few pixels do not suggest."""


@dataclass(frozen=True, slots=True)
class Header:
    media_type: str
    width: int
    """Pixels as stored, before orientation."""
    height: int
    orientation: int = 1
    """EXIF: 1 to 8; 5 and above swap width and height."""

    @property
    def oriented(self) -> tuple[int, int]:
        """(width, height) as people see the image."""
        size = (self.width, self.height)
        return size if self.orientation < 5 else size[::-1]


def checked(header: Header) -> Header:
    """`header`, if its size is one that may be decoded. Raises BadImage."""
    if header.width < 1 or header.height < 1:
        raise BadImage(f"its size is {header.width}×{header.height} pixels: nothing to relight")
    if header.width * header.height > MAX_PIXELS:
        raise BadImage(
            f"its size is {header.width}×{header.height} pixels, more than {MAX_PIXELS // 10**6} "
            "million: scale it down"
        )
    if max(header.width, header.height) > MAX_SIDE:
        raise BadImage(
            f"its size is {header.width}×{header.height} pixels, more than {MAX_SIDE:,} on a side: "
            "scale it down or crop it"
        )
    return header
