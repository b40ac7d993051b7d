"""Bytes ↔ pixels: what an image is, by content, and the only place that decodes or encodes one.

JPEG, PNG and WebP are taken, whatever the file is called; anything else, and anything damaged,
animated or too large, raises `BadImage` with a reason in words. `probe` reads headers only and
loads no library; the others load Pillow and numpy when they are first called. All of them block:
call them in a thread.
"""

from relightflow.images.bad import BadImage
from relightflow.images.codec import (
    Pixels,
    decode,
    encode,
    flatten,
    load,
    portable,
    thumbnail,
    verify,
)
from relightflow.images.header import JPEG, MAX_PIXELS, MAX_SIDE, PNG, WEBP
from relightflow.images.probing import Probed, probe

__all__ = [
    "JPEG",
    "MAX_PIXELS",
    "MAX_SIDE",
    "PNG",
    "WEBP",
    "BadImage",
    "Pixels",
    "Probed",
    "decode",
    "encode",
    "flatten",
    "load",
    "portable",
    "probe",
    "thumbnail",
    "verify",
]
