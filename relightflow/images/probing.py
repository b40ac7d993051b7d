"""What an image is, from its headers alone: cheap enough for every file of a large source."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.images import foreign, jpeg, optional, png, webp
from relightflow.images.bad import BadImage
from relightflow.images.header import Header, checked


@dataclass(frozen=True, slots=True)
class Probed:
    media_type: str
    """`image/jpeg`, `image/png`, `image/webp` or one of `optional.OTHERS`, by content."""
    width: int
    """Pixels, after EXIF orientation."""
    height: int


def probe(data: bytes) -> Probed:
    """Type and size of an image, without decoding a pixel or loading a library (but for `optional`).

    Raises BadImage for what is empty, cut short, animated, too large, or of another type. Damage
    inside the pixels is only found by `decode`.
    """
    header = read_header(data)
    return Probed(header.media_type, *header.oriented)


def read_header(data: bytes) -> Header:
    """The whole header. Raises BadImage as `probe` does."""
    if not data:
        raise BadImage("empty file: copy or download it again", None)
    if data.startswith(jpeg.SIGNATURE):
        return checked(jpeg.read(data))
    if data.startswith(png.SIGNATURE):
        return checked(png.read(data))
    if webp.is_webp(data):
        return checked(webp.read(data))
    name = foreign.name_of(data)
    if name in optional.OTHERS:
        return optional.read_header(data, name)
    raise foreign.refused(data)
