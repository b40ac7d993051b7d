"""Makes a copy of an image in another form: the same image and options, the same bytes.

The copy bears no metadata, is upright and in sRGB. Transparency is laid on white where the form
has none. (Another version of Pillow may encode otherwise.)
"""

from __future__ import annotations

from relightflow.images.bad import BadImage
from relightflow.images.codec import Pixels, encode, flatten, load
from relightflow.images.header import JPEG
from relightflow.images.probing import read_header
from relightflow.model.output_format import QUALITY, OutputFormat

_NEAR_LOSSLESS = 95
"""Quality of an input image that is turned."""
LONGEST = {"image/jpeg": 65_500, "image/webp": 16_383}
"""Pixels that a side may have: libjpeg's JPEG_MAX_DIMENSION, libwebp's WEBP_MAX_DIMENSION."""


def derive(data: bytes, media_type: str, form: OutputFormat) -> bytes:
    """`data`, an image of `media_type`, in `form`. Blocks. Raises BadImage."""
    if form.keeps(media_type):
        return data
    return _encoded(load(data), form.media_type, form.quality or QUALITY)


def upright(data: bytes, media_type: str) -> bytes:
    """`data` as an image of `media_type` that needs no turning, as results are: the very bytes where they
    are that already. Blocks. Raises BadImage."""
    header = read_header(data)
    if header.media_type == media_type and header.orientation == 1:
        return data
    return _encoded(load(data), media_type, _NEAR_LOSSLESS)


def _encoded(pixels: Pixels, media_type: str, quality: int) -> bytes:
    """Raises BadImage where the form has no room for so many pixels."""
    height, width = pixels.rgb.shape[:2]
    most = LONGEST.get(media_type)
    if most and max(width, height) > most:
        raise BadImage(
            f"{width} × {height} pixels are too many for {media_type.partition('/')[2]} (at "
            f"most {most:,} a side): choose another format"
        )
    if media_type == JPEG:
        return encode(flatten(pixels), JPEG, quality)
    return encode(pixels.rgb, media_type, quality, pixels.alpha)
