"""What a file is by its name: an image, a camera's raw file, or something that lies beside images."""

from __future__ import annotations

import re

TAKEN = frozenset({"jpg", "jpeg", "jpe", "jfif", "png", "webp"})
_OTHER = frozenset(
    {
        "gif", "bmp", "tif", "tiff", "heic", "heif", "hif", "avif", "jxl", "jp2", "j2k", "jpx", "psd",
        "psb", "exr", "hdr", "ico", "svg", "tga", "apng", "mpo",
    }
)  # fmt: skip
_RAW = {
    "cr2": "Canon", "cr3": "Canon", "crw": "Canon", "nef": "Nikon", "nrw": "Nikon", "arw": "Sony",
    "srf": "Sony", "sr2": "Sony", "raf": "Fujifilm", "orf": "Olympus", "ori": "Olympus",
    "rw2": "Panasonic", "pef": "Pentax", "srw": "Samsung", "dng": "Adobe", "3fr": "Hasselblad",
    "fff": "Hasselblad", "iiq": "Phase One", "x3f": "Sigma", "rwl": "Leica", "mrw": "Minolta",
    "mef": "Mamiya", "mos": "Leaf", "kdc": "Kodak", "dcr": "Kodak", "erf": "Epson", "gpr": "GoPro",
    "raw": "",
}  # fmt: skip
"""Extension → maker."""
_BESIDE = frozenset(
    {
        "xmp",
        "db",
        "thm",
        "aae",
        "dop",
        "pp3",
        "cos",
        "on1",
        "lrv",
        "mov",
        "mp4",
        "m4v",
        "avi",
        "wav",
    }
)
"""Sidecars of photographs, and what cameras write beside them."""
_PLAIN = re.compile(r"[A-Z0-9]{1,8}")


def extension(name: str) -> str:
    """In lower case, without the dot; empty where the name has none."""
    last = name.rpartition("/")[2]
    return last.rpartition(".")[2].lower() if "." in last[1:] else ""


def kind(name: str) -> str:
    """What a file is called where files are counted: `XMP`, `HEIC`."""
    found = extension(name).upper()
    return found if _PLAIN.fullmatch(found) else "other"


def is_image(name: str) -> bool:
    """Whether the name is that of an image, of whatever format."""
    return extension(name) in TAKEN | _OTHER | _RAW.keys()


def belongs_to_images(name: str) -> bool:
    """Whether it is that of an image, or of something that programs put beside images."""
    return is_image(name) or extension(name) in _BESIDE


def raw(name: str) -> str:
    """`camera raw, Canon CR2`; empty where the name is not that of a raw file."""
    found = extension(name)
    maker = _RAW.get(found)
    return "" if maker is None else f"camera raw, {maker} {found.upper()}".replace("  ", " ")
