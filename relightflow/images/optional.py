"""HEIC, AVIF and TIFF: taken as inputs where the extra `formats` is installed.

The extra brings libheif, and says that decoders which read strangers' files in C are wanted; TIFF and
AVIF come with Pillow and are taken only then as well. Their headers are read by decoding the image, so a
damaged one is found when it is planned. A provider gets a JPEG or PNG of it (`codec.portable`).
"""

from __future__ import annotations

import io
import struct
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from relightflow.images.bad import BadImage, animated, damaged
from relightflow.images.header import Header, checked

if TYPE_CHECKING:
    import PIL.Image

_EXTRA = "relightflow[formats]"
TIFF = "image/tiff"
OTHERS = {"HEIC": "image/heic", "HEIF": "image/heic", "AVIF": "image/avif", "TIFF": TIFF}
"""Name of a format → media type."""
_PILLOW = {"HEIC": "HEIF", "HEIF": "HEIF", "AVIF": "AVIF", "TIFF": "TIFF"}
_SUBFILE, _PHOTOMETRIC, _DNG = 254, 262, 50706
_SENSOR = (32803, 34892)
"""Photometric interpretations of what a sensor saw (TIFF/EP, DNG)."""
_RAW = "not a supported image (camera raw): export it as JPEG or PNG"


@cache
def is_installed() -> bool:
    return find_spec("pillow_heif") is not None


def read_header(data: bytes, name: str) -> Header:
    """Size of a `name` (of OTHERS), upright. Decodes it. Raises BadImage."""
    image = decode(data, name)
    return Header(OTHERS[name], *image.size)


def decode(data: bytes, name: str) -> PIL.Image.Image:
    """The image in Pillow's hands, upright. Raises BadImage."""
    import PIL.Image
    from PIL import ImageOps

    if not is_installed():
        raise BadImage(
            f"not a supported image ({name}): install {_EXTRA} to use it, or convert it to JPEG, PNG or "
            "WebP",
            name,
        )
    _register()
    try:
        image = PIL.Image.open(io.BytesIO(data), formats=(_PILLOW[name],))
        _check(image, data, name)
        image.load()
        return ImageOps.exif_transpose(image)
    except (BadImage, MemoryError):
        raise
    except Exception as error:  # plugins raise a dozen types on damaged files
        raise damaged(name, "its pixels cannot be decoded") from error


@cache
def _register() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()


def _check(image: PIL.Image.Image, data: bytes, name: str) -> None:
    """Raises BadImage for what is not one image to relight; looks at headers only."""
    checked(Header(OTHERS[name], *image.size))
    frames = getattr(image, "n_frames", 1)
    if name == "TIFF":
        _check_raw(image, data)
        if frames > 1:
            raise BadImage(f"the TIFF has {frames} pages: save the one that you want as a file")
        if image.mode.startswith(("I;32", "F")) or image.mode == "I":
            raise BadImage("a TIFF of 32 bits: save it with 8 or 16 bits, or as JPEG or PNG")
    elif name == "AVIF" and frames > 1:
        raise animated(name)


def _check_raw(image: PIL.Image.Image, data: bytes) -> None:
    """Raw files are TIFFs whose first picture is a small preview: relighting that helps nobody."""
    tags = getattr(image, "tag_v2", {})
    previews = tags.get(_SUBFILE, 0)
    sensor = tags.get(_PHOTOMETRIC) in _SENSOR
    if (
        data[8:10] == b"CR"
        or _DNG in tags
        or sensor
        or (isinstance(previews, int) and previews & 1)
    ):
        raise BadImage(_RAW, "TIFF")
    if struct.unpack_from("<H" if data[:2] == b"II" else ">H", data, 2)[0] != 42:
        raise BadImage("a BigTIFF: save it as an ordinary TIFF, or as JPEG or PNG", "TIFF")
