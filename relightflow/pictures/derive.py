"""Makes a copy of a picture in another form: the same picture and options, the same bytes.

The copy bears no metadata, is upright and in sRGB. Transparency is laid on white where the form
has none. (Another version of Pillow may encode otherwise.)
"""

from __future__ import annotations

from relightflow.model.form import QUALITY, Form
from relightflow.pictures.bad import BadPicture
from relightflow.pictures.codec import encode, flatten, load
from relightflow.pictures.header import JPEG

LONGEST = {"image/jpeg": 65_500, "image/webp": 16_383}
"""Pixels that a side may have: libjpeg's JPEG_MAX_DIMENSION, libwebp's WEBP_MAX_DIMENSION."""


def derive(data: bytes, media_type: str, form: Form) -> bytes:
    """`data`, a picture of `media_type`, in `form`. Blocks. Raises BadPicture."""
    if form.keeps(media_type):
        return data
    pixels = load(data)
    height, width = pixels.rgb.shape[:2]
    most = LONGEST.get(form.media_type)
    if most and max(width, height) > most:
        raise BadPicture(
            f"{width} × {height} pixels are more than a {form.media_type.partition('/')[2]} holds "
            f"(at most {most:,} a side): choose another format"
        )
    quality = form.quality or QUALITY
    if form.media_type == JPEG:
        return encode(flatten(pixels), JPEG, quality)
    return encode(pixels.rgb, form.media_type, quality, pixels.alpha)
