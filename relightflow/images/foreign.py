"""Names what a file is when it is not an image that we take, so that people know what to do."""

from __future__ import annotations

from relightflow.images.bad import BadImage

_SIGNATURES = (
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xffO\xffQ", "JPEG 2000"),
    (b"8BPS", "PSD"),
    (b"v/1\x01", "OpenEXR"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"version https://git-lfs", "a Git LFS pointer"),
)
_BRANDS = {
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"hevc": "HEIC",
    b"hevx": "HEIC",
    b"heim": "HEIC",
    b"heis": "HEIC",
    b"mif1": "HEIF",
    b"msf1": "HEIF",
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"crx ": "a camera raw file",
}
_NO_IMAGES = frozenset(
    {"PDF", "PostScript", "a ZIP archive", "a gzip archive", "a Git LFS pointer", "a video"}
    | {"HTML", "XML", "JSON"}
)
"""What no name but that of an image makes one of."""
_HINTS = {
    "a Git LFS pointer": "run `git lfs pull`",
    "HTML": "check where it was downloaded from",
}


def refused(data: bytes) -> BadImage:
    """Why bytes that are neither JPEG, PNG nor WebP are refused, and what to do about it."""
    name = name_of(data)
    if name is None or name in _NO_IMAGES:
        hint = _HINTS.get(name or "", "use JPEG, PNG or WebP")
        return BadImage(f"not a supported image{f' ({name})' if name else ''}: {hint}", None)
    hint = _HINTS.get(name, "convert it to JPEG, PNG or WebP")
    return BadImage(f"not a supported image ({name}): {hint}", name)


def name_of(data: bytes) -> str | None:
    """The format's name, or None where nothing is recognised."""
    for signature, name in _SIGNATURES:
        if data.startswith(signature):
            return name
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "a video")
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<"):
        if b"<svg" in start:
            return "SVG"
        return "HTML" if start.startswith((b"<!doctype html", b"<html", b"<head")) else "XML"
    return "JSON" if start.startswith((b"{", b"[")) else None
