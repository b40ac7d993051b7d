"""Makes a copy of an image in another form: the same image and options, the same bytes.

The copy bears no metadata, is upright and in sRGB. Transparency is laid on white where the form
has none. (Another version of Pillow may encode otherwise.)
"""

from __future__ import annotations

from relightflow.images.bad import BadImage
from relightflow.images.codec import encode, flatten, load
from relightflow.images.header import JPEG
from relightflow.model.output_format import QUALITY, OutputFormat

LONGEST = {"image/jpeg": 65_500, "image/webp": 16_383}
"""Pixels that a side may have: libjpeg's JPEG_MAX_DIMENSION, libwebp's WEBP_MAX_DIMENSION."""


def derive(data: bytes, media_type: str, form: OutputFormat) -> bytes:
    """`data`, an image of `media_type`, in `form`. Blocks. Raises BadImage."""
    if form.keeps(media_type):
        return data
    pixels = load(data)
    height, width = pixels.rgb.shape[:2]
    most = LONGEST.get(form.media_type)
    if most and max(width, height) > most:
        raise BadImage(
            f"{width} × {height} pixels are too many for {form.media_type.partition('/')[2]} (at "
            f"most {most:,} a side): choose another format"
        )
    quality = form.quality or QUALITY
    if form.media_type == JPEG:
        return encode(flatten(pixels), JPEG, quality)
    return encode(pixels.rgb, form.media_type, quality, pixels.alpha)
