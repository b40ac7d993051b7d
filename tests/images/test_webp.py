from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from relightflow.images.bad import BadImage
from relightflow.images.header import WEBP, Header
from relightflow.images.webp import is_webp, read

Make = Callable[..., bytes]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2)


def _webp(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _canvas(width: int, height: int, flags: int = 0) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size)


_LOSSY = _chunk(b"VP8 ", b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", 48 | 0x4000, 32))


@pytest.mark.parametrize(
    "options",
    [{}, {"lossless": True}, {"mode": "RGBA", "exif": b""}],
    ids=["lossy", "lossless", ""],
)
def test_all_three_layouts_are_read(make: Make, options: dict[str, object]) -> None:
    assert read(make("WEBP", **options)) == Header(WEBP, 48, 32)


def test_the_scale_bits_are_no_part_of_a_lossy_size() -> None:
    assert read(_webp(_LOSSY)) == Header(WEBP, 48, 32)


def test_the_canvas_is_the_size_where_there_is_one() -> None:
    assert read(_webp(_canvas(1 << 24, 7), _LOSSY)) == Header(WEBP, 1 << 24, 7)


@pytest.mark.parametrize(
    "start", [b"RIFF\x00\x00\x00\x00WAVE", b"RIFX\x00\x00\x00\x00WEBP", b"RIFF"]
)
def test_other_riff_files_are_not_webp(start: bytes) -> None:
    assert not is_webp(start)
    assert is_webp(b"RIFF\x00\x00\x00\x00WEBP")


@pytest.mark.parametrize(
    "animated",
    [_webp(_canvas(48, 32, 0x02), _LOSSY), _webp(_canvas(48, 32), _chunk(b"ANIM", b"\x00" * 6))],
    ids=["flag", "chunk"],
)
def test_an_animation_is_refused_by_its_flag_or_by_its_chunk(animated: bytes) -> None:
    with pytest.raises(BadImage, match="animated"):
        read(animated)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (_webp(), "contains no pixels"),
        (_webp(_canvas(48, 32)), "contains no pixels"),
        (_webp(_chunk(b"VP8X", b"\x00" * 9)), "its header chunk"),
        (_webp(_LOSSY.replace(b"\x9d\x01\x2a", b"\x9d\x01\x2b")), "the start of its frame"),
        (_webp(_chunk(b"VP8L", b"\x2e\x00\x00\x00\x00")), "the start of its stream"),
        (_webp(_chunk(b"VP8L", b"\x2f\x00\x00\x00")), "the start of its stream"),
    ],
)
def test_what_makes_no_sense_is_damage(data: bytes, detail: str) -> None:
    with pytest.raises(BadImage, match="damaged") as refusal:
        read(data)
    assert detail in refusal.value.reason


def test_a_chunk_that_reaches_past_its_file_is_truncated() -> None:
    with pytest.raises(BadImage, match="truncated"):
        read(_webp(_LOSSY[:4] + struct.pack("<I", 0xFFFFFFFE) + _LOSSY[8:]))


def test_wherever_it_ends_early_it_is_truncated_and_nothing_else(make: Make) -> None:
    whole = make("WEBP")
    for end in range(12, len(whole)):
        with pytest.raises(BadImage, match="truncated"):
            read(whole[:end])


def test_a_chunk_of_odd_length_is_padded() -> None:
    assert read(_webp(_chunk(b"ICCP", b"abc"), _LOSSY)) == Header(WEBP, 48, 32)
