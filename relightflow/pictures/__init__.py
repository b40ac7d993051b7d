"""Bytes ↔ pixels: what a picture is, by content, and the only place that decodes or encodes one.

JPEG, PNG and WebP are taken, whatever the file is called; anything else, and anything damaged,
animated or too large, raises `BadPicture` with a reason in words. `probe` reads headers only and
loads no library; the others load Pillow and numpy when they are first called. All of them block:
call them in a thread.
"""

from relightflow.pictures.bad import BadPicture
from relightflow.pictures.codec import Pixels, decode, encode, flatten, load, thumbnail
from relightflow.pictures.header import JPEG, MAX_PIXELS, PNG, WEBP
from relightflow.pictures.probing import Probed, probe

__all__ = [
    "JPEG",
    "MAX_PIXELS",
    "PNG",
    "WEBP",
    "BadPicture",
    "Pixels",
    "Probed",
    "decode",
    "encode",
    "flatten",
    "load",
    "probe",
    "thumbnail",
]
