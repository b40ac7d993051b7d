from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from relightflow.images.bad import BadImage
from relightflow.images.header import JPEG, Header
from relightflow.images.jpeg import read

Make = Callable[..., bytes]


def _exif(orientation: int) -> bytes:
    """An EXIF segment that says only that."""
    tiff = b"MM\x00*" + struct.pack(">IHHHIHH", 8, 1, 0x0112, 3, 1, orientation, 0) + b"\x00" * 4
    body = b"Exif\x00\x00" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def test_a_progressive_jpeg_is_read(make: Make) -> None:
    assert read(make("JPEG", progressive=True)) == Header(JPEG, 48, 32)


def test_the_first_exif_block_that_turns_is_the_one_that_counts(make: Make) -> None:
    plain = make("JPEG")
    assert read(plain[:2] + _exif(6) + _exif(3) + plain[2:]).orientation == 6


def test_fill_bytes_and_markers_without_a_length_are_passed_over(make: Make) -> None:
    plain = make("JPEG")
    assert read(plain[:2] + b"\xff\x01" + b"\xff\xff\xff" + plain[2:]) == Header(JPEG, 48, 32)


def test_a_jpeg_whose_thumbnail_is_whole_is_still_cut_short(make: Make) -> None:
    whole = make("JPEG", 200, 200)
    comment = b"\xff\xfe" + struct.pack(">H", 8) + b"\xff\xd9abcd"
    with pytest.raises(BadImage, match="truncated"):
        read(whole[:2] + comment + whole[2 : len(whole) // 2])


def test_damaged_segments_are_told_from_each_other(make: Make) -> None:
    jpeg = make("JPEG")
    for bad, detail in (
        (jpeg[:4] + b"\x00\x01" + jpeg[6:], "a segment of 1 bytes"),
        (b"\xff\xd8\xff\xd9" + jpeg, "ends before the image data"),
        (jpeg.replace(b"\xff\xc0", b"\xff\xfe"), "no size before the image"),
        (jpeg[:2] + b"\x00" + jpeg[2:], "no marker at byte 2"),
        (jpeg[:2] + b"\xff\xc0\x00\x02" + jpeg[2:], "a frame without a size"),
    ):
        with pytest.raises(BadImage, match="damaged") as refusal:
            read(bad)
        assert detail in refusal.value.reason


def test_huffman_tables_are_not_taken_for_a_frame(make: Make) -> None:
    jpeg = make("JPEG")
    tables = b"\xff\xc4\x00\x08" + b"\x08\x00\x01\x00\x01\x00"
    assert read(jpeg[:2] + tables + jpeg[2:]) == Header(JPEG, 48, 32)
    with pytest.raises(BadImage, match="no size before the image"):
        read((jpeg[:2] + tables + jpeg[2:]).replace(b"\xff\xc0", b"\xff\xfe"))


def test_a_flood_of_tiny_segments_is_refused(make: Make) -> None:
    flood = b"\xff\xd8" + b"\xff\xfe\x00\x02" * 200_000 + make("JPEG")[2:]
    with pytest.raises(BadImage, match="more than 10,000 segments"):
        read(flood)


def test_a_12_bit_jpeg_is_refused_by_name(make: Make) -> None:
    jpeg = make("JPEG")
    at = jpeg.index(b"\xff\xc0") + 4
    with pytest.raises(BadImage, match="12-bit"):
        read(jpeg[:at] + b"\x0c" + jpeg[at + 1 :])


def test_wherever_it_ends_early_it_is_truncated_and_nothing_else(make: Make) -> None:
    jpeg = make("JPEG")
    for end in range(3, len(jpeg) - 1):
        with pytest.raises(BadImage, match="truncated"):
            read(jpeg[:end])
