"""Pixels out of bytes and back: upright, 8 bits, sRGB.

Whatever is stored (CMYK, grey, palette, 16 bits, another colour profile, turned by EXIF) comes out
as sRGB the right way up. Transparency is kept apart, so that it can be put back.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relightflow.images import png
from relightflow.images.bad import BadImage, damaged, truncated
from relightflow.images.foreign import name_of
from relightflow.images.header import JPEG, PNG, WEBP, Header
from relightflow.images.icc import is_srgb
from relightflow.images.optional import OTHERS, TIFF
from relightflow.images.optional import decode as decode_other
from relightflow.images.probing import read_header

if TYPE_CHECKING:  # Pillow and numpy are loaded by the first call, not by `relightflow --help`
    import numpy as np
    import PIL.Image
    from numpy.typing import NDArray

_PORTABLE_QUALITY = 95
_EMPTY = 4096
"""Bytes of zeros that no image ends with."""
_NAME = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP"}


@dataclass(frozen=True, slots=True)
class Pixels:
    """A decoded image."""

    rgb: NDArray[np.uint8]
    """(height, width, 3), sRGB."""
    alpha: NDArray[np.uint8] | None
    """(height, width), 255 is opaque; None: opaque everywhere."""
    media_type: str


def load(data: bytes, fit: tuple[int, int] | None = None) -> Pixels:
    """The image with its transparency, scaled down to `fit` (width, height) if given. Raises BadImage."""
    return _pixels(data, fit)


def verify(data: bytes) -> None:
    """Decode the image and forget it. Raises BadImage where it is damaged or cut short: what its header
    does not show, a provider would still bill. What is no image at all is left to whoever planned it."""
    try:
        header = read_header(data)
    except BadImage as error:
        if error.form == "":
            raise
        return
    if header.media_type == PNG:
        png.check(data)
        png.check_rows(data)
        data, _ = png.without_extras(data)
    if header.media_type == WEBP and _ends_empty(data):
        raise truncated("WebP")
    if header.media_type in OTHERS.values():
        return  # it was decoded for its header
    with _in_words(header), _opened(data) as image:
        image.load()


def _ends_empty(data: bytes) -> bool:
    """Whether a good part of the file's end is zeros: room that a copy made and never filled. For WebP's
    decoder they are pixels like others; of JPEG and PNG the end is missing then."""
    zeros = len(data) - len(data.rstrip(b"\0"))
    return zeros >= _EMPTY and zeros * 10 >= len(data)


def decode(data: bytes) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 sRGB, laid on white where it is transparent. Raises BadImage."""
    return flatten(load(data))


def thumbnail(data: bytes, width: int, height: int) -> NDArray[np.uint8]:
    """The image, scaled down to fit in `width` × `height`, never up; on white. Raises BadImage.

    A large JPEG is decoded at a fraction of its size: several times faster than `decode`.
    """
    return flatten(_pixels(data, (max(1, width), max(1, height))))


def flatten(pixels: Pixels) -> NDArray[np.uint8]:
    """The image on white paper, (height, width, 3)."""
    import numpy as np

    if pixels.alpha is None:
        return pixels.rgb
    opaque = pixels.alpha[:, :, None].astype(np.uint32)
    mixed = pixels.rgb * opaque + 255 * (255 - opaque)
    return ((mixed + 127) // 255).astype(np.uint8)


def encode(
    rgb: NDArray[np.uint8] | PIL.Image.Image,
    media_type: str,
    quality: int = 92,
    alpha: NDArray[np.uint8] | None = None,
) -> bytes:
    """`rgb` (height, width, 3), or an image in RGB, as a file without metadata; the same pixels, the
    same bytes.

    `alpha` (height, width) is kept by PNG and WebP; a JPEG has none and drops it. `quality` (1 to
    100) is for JPEG and WebP. Raises ValueError for another media type or for arrays of another form.
    """
    import numpy as np
    import PIL.Image

    if media_type not in _NAME:
        raise ValueError(f"{media_type!r} cannot be written; known: {', '.join(_NAME)}")
    if isinstance(rgb, PIL.Image.Image):
        image = rgb
    elif rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"pixels are (height, width, 3) uint8, not {rgb.shape} {rgb.dtype}")
    else:
        image = PIL.Image.fromarray(rgb)
    if alpha is not None and media_type != JPEG:
        image = PIL.Image.merge("RGBA", [*image.split(), PIL.Image.fromarray(alpha)])
    out = io.BytesIO()
    if media_type == JPEG:
        # no chroma subsampling: coloured light on fine edges would bleed
        image.save(out, "JPEG", quality=quality, subsampling=0)
    elif media_type == PNG:
        # level 2: 3 times faster than the default 6 for files some 10 % larger
        image.save(out, "PNG", compress_level=2)
    else:
        image.save(out, "WEBP", quality=quality, method=1, exact=True)
    return out.getvalue()


def _pixels(data: bytes, fit: tuple[int, int] | None) -> Pixels:
    import numpy as np

    other = _other(data)
    if other:
        return _pixels_of_other(data, other, fit)
    header = read_header(data)
    profile, key = None, None
    if header.media_type == PNG:
        png.check(data)
        key = png.transparent(data)
        data, profile = png.without_extras(data)
    with _in_words(header):
        with _opened(data) as image:
            if image.size != (header.width, header.height):
                raise damaged(_NAME[header.media_type], "two different sizes")
            if fit is not None:
                image.draft(None, _draft_size(header, fit))
            image.load()
            if profile is not None:
                image.info["icc_profile"] = profile
            colour, alpha = _colour(image, key)
        colour = _upright(colour, header.orientation, fit)
        if alpha is not None:
            alpha = _upright(alpha, header.orientation, fit)
    if alpha is not None and alpha.getextrema() == (255, 255):
        alpha = None
    opacity = None if alpha is None else np.asarray(alpha)
    return Pixels(np.asarray(colour), opacity, header.media_type)


def portable(data: bytes) -> tuple[bytes, str]:
    """The image as a provider takes it, and its media type: itself, or a JPEG or PNG of what only the extra
    `formats` reads. Raises BadImage."""
    other = _other(data)
    if not other:
        return data, read_header(data).media_type
    pixels = load(data)
    if pixels.alpha is None and pixels.media_type != TIFF:
        return encode(pixels.rgb, JPEG, _PORTABLE_QUALITY), JPEG
    return encode(pixels.rgb, PNG, alpha=pixels.alpha), PNG


def _other(data: bytes) -> str:
    """The name of a format that only the extra reads; empty for others."""
    name = name_of(data) or ""
    return name if name in OTHERS else ""


def _pixels_of_other(data: bytes, name: str, fit: tuple[int, int] | None) -> Pixels:
    import numpy as np

    image = decode_other(data, name)
    try:
        colour, alpha = _colour(image, None)
    except Exception as error:  # as in `_in_words`
        raise damaged(name, "its colours cannot be converted") from error
    colour = _upright(colour, 1, fit)
    if alpha is not None:
        alpha = _upright(alpha, 1, fit)
    if alpha is not None and alpha.getextrema() == (255, 255):
        alpha = None
    opacity = None if alpha is None else np.asarray(alpha)
    return Pixels(np.asarray(colour), opacity, OTHERS[name])


def _opened(data: bytes) -> PIL.Image.Image:
    import PIL.Image

    return PIL.Image.open(io.BytesIO(data), formats=tuple(_NAME.values()))


def _draft_size(header: Header, fit: tuple[int, int]) -> tuple[int, int]:
    """What to ask the JPEG decoder for: at least twice what is wanted, so that scaling stays clean."""
    width, height = header.oriented
    scale = min(1.0, 2 * max(fit[0] / width, fit[1] / height))
    return max(1, round(header.width * scale)), max(1, round(header.height * scale))


def _colour(
    image: PIL.Image.Image, key: tuple[int, tuple[int, ...]] | None
) -> tuple[PIL.Image.Image, PIL.Image.Image | None]:
    """(RGB, alpha or None), both 8 bits, colours in sRGB. `key`: bits and samples of what a PNG calls
    transparent."""
    alpha = None
    if key is not None:
        alpha = _but(image, *key)
    if image.mode.startswith("I"):
        profile = image.info.get("icc_profile")
        image = _eight_bits(image)
        image.info["icc_profile"] = profile
    elif alpha is None and image.has_transparency_data:
        whole = image.convert("RGBA")
        alpha = whole.getchannel("A")
        if image.mode == "P":
            image = whole  # from a palette with transparency, Pillow wants no other way
    if image.mode not in {"RGB", "L", "CMYK"}:
        image = image.convert("L" if image.mode in {"1", "LA"} else "RGB")
    return _srgb(image), alpha


def _but(image: PIL.Image.Image, bits: int, samples: tuple[int, ...]) -> PIL.Image.Image:
    """Opaque everywhere but where the image has these samples, given in `bits` bits."""
    import numpy as np
    import PIL.Image

    samples = tuple(sample & (1 << bits) - 1 for sample in samples)
    # as Pillow has them: 16-bit grey as it is, of 16-bit colours the upper half, else 8 bits
    if bits == 16 and len(samples) == 3:
        samples = tuple(sample >> 8 for sample in samples)
    elif bits < 8:
        samples = tuple(sample * 255 // ((1 << bits) - 1) for sample in samples)
    values = np.asarray(image.convert("L") if image.mode == "1" else image)
    same = values == samples[0] if len(samples) == 1 else (values == samples).all(axis=2)
    return PIL.Image.fromarray(np.where(same, 0, 255).astype(np.uint8))


def _eight_bits(image: PIL.Image.Image) -> PIL.Image.Image:
    """16-bit grey, scaled: Pillow's own conversion would cut off everything above 255."""
    import numpy as np
    import PIL.Image

    wide = np.asarray(image).astype(np.uint32)
    return PIL.Image.fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8))


def _srgb(image: PIL.Image.Image) -> PIL.Image.Image:
    """`image` (RGB, L or CMYK) in sRGB, by its own colour profile where that is sound."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    if not profile or is_srgb(profile):
        return image.convert("RGB")
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, own, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # a profile that cannot be used is as good as none: viewers assume sRGB as well
        return image.convert("RGB")
    return converted or image.convert("RGB")


def _upright(
    layer: PIL.Image.Image, orientation: int, fit: tuple[int, int] | None
) -> PIL.Image.Image:
    """`layer` turned as EXIF says, and scaled down to `fit`."""
    from PIL.Image import Resampling, Transpose

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    if turn is not None:
        layer = layer.transpose(turn)
    if fit is not None:
        layer.thumbnail(fit, Resampling.LANCZOS)
    return layer


@contextmanager
def _in_words(header: Header) -> Iterator[None]:
    """Whatever the decoder raises about an image becomes a BadImage."""
    what = _NAME[header.media_type].replace("WEBP", "WebP")
    try:
        yield
    except (BadImage, MemoryError):
        raise
    except Exception as error:  # Pillow's plugins raise a dozen types on damaged files
        raise damaged(what, "its pixels cannot be decoded") from error
