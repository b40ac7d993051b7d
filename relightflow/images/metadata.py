"""Carries what an input image says of its maker, camera and time over to a result that says nothing.

Pixels are not touched: the blocks are put into the file as it is, so the same two files give the same
bytes, and `without` gives the file back. Only a few text fields are taken; a place (GPS), a thumbnail or
a serial number never leaves the input.

Layout: Exif 2.32, 4.6; ITU-T T.81, annex B; PNG 3rd edition, 11.3.4 and 11.3.5; RFC 9649, 2.7.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from relightflow.images.jpeg import SIGNATURE as _JPEG
from relightflow.images.webp import is_webp

_PNG = b"\x89PNG\r\n\x1a\n"
_EXIF_ID, _ICC_ID = b"Exif\x00\x00", b"ICC_PROFILE\x00"
_RIGHTS = (0x013B, 0x8298)
"""Artist, Copyright: tags of the first directory."""
_CAMERA = (0x010F, 0x0110, 0x0132)
"""Make, Model, DateTime."""
_SHOT = (
    0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292, 0xA433, 0xA434,
)  # fmt: skip
"""Of the Exif directory: times with their zones and fractions, make and model of the lens."""
_POINTER, _ASCII, _LONG = 0x8769, 2, 4
_LONGEST, _MOST_FIELDS, _MOST_PROFILE = 2000, 1000, 1 << 20
_PART = 65_519
"""Bytes of a profile in one segment of a JPEG (ICC.1:2022, B.4)."""


@dataclass(frozen=True, slots=True)
class Metadata:
    exif: bytes = b""
    """A TIFF block with the fields that are kept; empty: none."""
    profile: bytes = b""
    """An RGB colour profile; empty: none."""


class _MetadataBlock(NamedTuple):
    """A piece of an image file that is no pixel."""

    start: int
    end: int
    kind: str
    """`exif`, `icc`, or anything else."""
    body: bytes


def metadata(data: bytes, everything: bool) -> Metadata:
    """What an image says: author and copyright, or with `everything` camera, times and colour profile
    too. Never raises; what makes no sense is as good as absent."""
    exif, parts = b"", b""
    for block in _blocks(data):
        if block.kind == "exif" and not exif:
            exif = block.body
        elif block.kind == "icc":
            parts += block.body
    first, inner = _fields(exif)
    kept = {tag: first[tag] for tag in (_RIGHTS + _CAMERA * everything) if tag in first}
    shot = {tag: inner[tag] for tag in _SHOT * everything if tag in inner}
    return Metadata(_tiff(kept, shot), parts if everything and _is_rgb(parts) else b"")


def added(data: bytes, given: Metadata) -> bytes:
    """`data` with what is `given`, as far as it has nothing of that kind itself."""
    if not given.exif and not given.profile:
        return data
    kinds = {block.kind for block in _blocks(data)}
    exif = given.exif if "exif" not in kinds else b""
    profile = given.profile if not kinds & {"icc", "srgb"} else b""
    if not exif and not profile:
        return data
    if data.startswith(_JPEG):
        return _in_jpeg(data, exif, profile)
    if data.startswith(_PNG):
        return _in_png(data, exif, profile)
    return _in_webp(data, exif, profile) if is_webp(data) else data


def without(data: bytes) -> bytes:
    """`data` without Exif and profile: what `added` was given, if it added them."""
    left, at = bytearray(), 0
    for block in _blocks(data):
        if block.kind in ("exif", "icc"):
            left += data[at : block.start]
            at = block.end
    left += data[at:]
    return _plain_webp(bytes(left)) if is_webp(data) else bytes(left)


def _blocks(data: bytes) -> Iterator[_MetadataBlock]:
    try:
        if data.startswith(_JPEG):
            yield from _jpeg_blocks(data)
        elif data.startswith(_PNG):
            yield from _png_blocks(data)
        elif is_webp(data):
            yield from _webp_blocks(data)
    except (struct.error, IndexError, zlib.error):
        return


def _jpeg_blocks(data: bytes) -> Iterator[_MetadataBlock]:
    at = 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:  # up to the scan
        (length,) = struct.unpack_from(">H", data, at + 2)
        body, end = data[at + 4 : at + 2 + length], at + 2 + length
        if length < 2 or end > len(data):
            return
        if data[at + 1] == 0xE1 and body.startswith(_EXIF_ID):
            yield _MetadataBlock(at, end, "exif", body[len(_EXIF_ID) :])
        elif data[at + 1] == 0xE2 and body.startswith(_ICC_ID):
            yield _MetadataBlock(at, end, "icc", body[len(_ICC_ID) + 2 :])
        at = end


def _png_blocks(data: bytes) -> Iterator[_MetadataBlock]:
    at = len(_PNG)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body, end = data[at + 8 : at + 8 + length], at + 12 + length
        if end > len(data):
            return
        if kind == b"eXIf":
            yield _MetadataBlock(at, end, "exif", body.removeprefix(_EXIF_ID))
        elif kind == b"iCCP":
            packed = body[body.index(0) + 2 :] if 0 in body[:80] else b""
            yield _MetadataBlock(
                at, end, "icc", zlib.decompressobj().decompress(packed, _MOST_PROFILE)
            )
        elif kind == b"sRGB":
            yield _MetadataBlock(at, end, "srgb", b"")
        at = end


def _webp_blocks(data: bytes) -> Iterator[_MetadataBlock]:
    kinds = {b"EXIF": "exif", b"ICCP": "icc"}
    for at, kind, body in _chunks(data):
        end = at + 8 + len(body) + len(body) % 2
        yield _MetadataBlock(at, end, kinds.get(kind, ""), body.removeprefix(_EXIF_ID))


def _chunks(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    at, end = 12, min(len(data), struct.unpack_from("<I", data, 4)[0] + 8)
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            return
        yield at, kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def _fields(tiff: bytes) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """The texts of the first directory and of the Exif directory in it, by tag."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return {}, {}
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        first, pointer = _directory(tiff, order, start)
        return first, _directory(tiff, order, pointer)[0] if pointer else {}
    except struct.error:
        return {}, {}


def _directory(tiff: bytes, order: str, start: int) -> tuple[dict[int, bytes], int]:
    """Its texts by tag, and where the Exif directory is. Raises struct.error."""
    texts: dict[int, bytes] = {}
    pointer = 0
    (count,) = struct.unpack_from(order + "H", tiff, start)
    for index in range(min(count, _MOST_FIELDS)):
        at = start + 2 + 12 * index
        tag, kind, size = struct.unpack_from(order + "HHI", tiff, at)
        (value,) = struct.unpack_from(order + "I", tiff, at + 8)
        if tag == _POINTER and kind == _LONG:
            pointer = value
        elif kind == _ASCII and 0 < size <= _LONGEST:
            where = at + 8 if size <= 4 else value
            text = tiff[where : where + size].rstrip(b"\x00")
            if len(tiff) >= where + size and text.strip(b" \x00"):
                texts.setdefault(tag, text)
    return texts, pointer


def _tiff(first: dict[int, bytes], inner: dict[int, bytes]) -> bytes:
    """A TIFF block of these texts; empty where there is none."""
    if not first and not inner:
        return b""
    start = 8 + 2 + 12 * (len(first) + bool(inner)) + 4
    entries = {tag: text + b"\x00" for tag, text in first.items()}
    extra = b"".join(_even(text) for _, text in sorted(entries.items()) if len(text) > 4)
    head = b"II*\x00" + struct.pack("<I", 8)
    if not inner:
        return head + _written(entries, start, None)
    there = start + len(extra)
    second = {tag: text + b"\x00" for tag, text in inner.items()}
    return (
        head
        + _written(entries, start, there)
        + _written(second, there + 2 + 12 * len(second) + 4, None)
    )


def _written(entries: dict[int, bytes], at: int, pointer: int | None) -> bytes:
    """A directory whose longer texts follow it, from offset `at` on."""
    rows, texts = [], b""
    for tag, text in sorted(entries.items()):
        if len(text) > 4:
            rows.append(struct.pack("<HHII", tag, _ASCII, len(text), at + len(texts)))
            texts += _even(text)
        else:
            rows.append(struct.pack("<HHI4s", tag, _ASCII, len(text), text))
    if pointer is not None:
        rows.append(struct.pack("<HHII", _POINTER, _LONG, 1, pointer))
        rows.sort(key=lambda row: struct.unpack_from("<H", row))
    return struct.pack("<H", len(rows)) + b"".join(rows) + bytes(4) + texts


def _even(text: bytes) -> bytes:
    return text + b"\x00" * (len(text) % 2)


def _is_rgb(profile: bytes) -> bool:
    """Whether it is a profile for RGB pixels (ICC.1:2022, 7.2)."""
    return (
        128 < len(profile) < _MOST_PROFILE
        and profile[16:20] == b"RGB "
        and profile[36:40] == b"acsp"
    )


def _in_jpeg(data: bytes, exif: bytes, profile: bytes) -> bytes:
    at = 2
    if data[2:4] == b"\xff\xe0":  # JFIF stands first
        at += 2 + int(struct.unpack_from(">H", data, 4)[0])
    segments = b""
    if exif:
        segments += b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + _EXIF_ID + exif
    parts = [profile[n : n + _PART] for n in range(0, len(profile), _PART)]
    for number, part in enumerate(parts, start=1):
        body = _ICC_ID + bytes((number, len(parts))) + part
        segments += b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body
    return data[:at] + segments + data[at:]


def _in_png(data: bytes, exif: bytes, profile: bytes) -> bytes:
    at = len(_PNG) + 25  # after IHDR
    chunks = b""
    if profile:
        chunks += _png_chunk(b"iCCP", b"icc\x00\x00" + zlib.compress(profile, 6))
    if exif:
        chunks += _png_chunk(b"eXIf", exif)
    return data[:at] + chunks + data[at:]


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _in_webp(data: bytes, exif: bytes, profile: bytes) -> bytes:
    chunks = [(kind, body) for _, kind, body in _chunks(data)]
    if chunks and chunks[0][0] == b"VP8X":
        header = bytearray(chunks.pop(0)[1])
    else:
        header = _extended(chunks)
    header[0] |= 0x08 * bool(exif) | 0x20 * bool(profile)
    before = [(b"ICCP", profile)] if profile else []
    after = [(b"EXIF", exif)] if exif else []
    return _riff([(b"VP8X", bytes(header)), *before, *chunks, *after])


def _extended(chunks: list[tuple[bytes, bytes]]) -> bytearray:
    """The header that a simple file lacks; the pixels' own header says what belongs there."""
    kind, body = chunks[0]
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    else:
        across, down = struct.unpack_from("<HH", body, 6)
        width, height, alpha = (across & 0x3FFF) - 1, (down & 0x3FFF) - 1, 0
    size = width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return bytearray(bytes((0x10 * alpha, 0, 0, 0)) + size)


def _plain_webp(data: bytes) -> bytes:
    """Its header says no more that there are Exif and a profile; a simple file has none."""
    chunks = [(kind, body) for _, kind, body in _chunks(data[:4] + bytes((255,)) * 4 + data[8:])]
    if not chunks or chunks[0][0] != b"VP8X":
        return data
    header = bytearray(chunks[0][1])
    header[0] &= ~0x28 & 0xFF
    if [kind for kind, _ in chunks[1:]] in ([b"VP8 "], [b"VP8L"]):
        return _riff(chunks[1:])
    return _riff([(b"VP8X", bytes(header)), *chunks[1:]])


def _riff(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(
        kind + struct.pack("<I", len(part)) + part + b"\x00" * (len(part) % 2)
        for kind, part in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
