from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest

from relightflow.images.bad import BadImage
from relightflow.images.header import PNG, Header
from relightflow.images.png import SIGNATURE, check, read

Make = Callable[..., bytes]


def _chunk(kind: bytes, body: bytes = b"") -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def _png(*chunks: bytes) -> bytes:
    """A PNG of 48 × 32 pixels with these chunks after its header."""
    size = struct.pack(">IIBBBBB", 48, 32, 8, 2, 0, 0, 0)
    return SIGNATURE + _chunk(b"IHDR", size) + b"".join(chunks)


_PIXELS, _END = _chunk(b"IDAT", b"x"), _chunk(b"IEND")


def test_nothing_is_unpacked_to_read_a_header() -> None:
    assert read(_png(_PIXELS, _END)) == Header(PNG, 48, 32), "its pixels are no zlib stream"


def test_an_animation_of_one_frame_is_a_still_image() -> None:
    def animation(frames: int) -> bytes:
        return _png(_chunk(b"acTL", struct.pack(">II", frames, 0)), _PIXELS, _END)

    assert read(animation(1)).width == 48
    with pytest.raises(BadImage, match="animated"):
        read(animation(2))


def test_a_file_without_pixels_is_damaged() -> None:
    with pytest.raises(BadImage, match="contains no pixels"):
        read(_png(_END))


def test_wherever_it_ends_early_it_is_truncated_and_nothing_else(make: Make) -> None:
    whole = make("PNG")
    for end in range(len(SIGNATURE), len(whole)):
        with pytest.raises(BadImage, match="truncated"):
            read(whole[:end])


def test_a_chunk_longer_than_the_file_is_truncated() -> None:
    with pytest.raises(BadImage, match="truncated"):
        read(_png(struct.pack(">I", 0xFFFFFFFF) + b"IDAT" + b"\x00" * 20))


def test_an_end_that_reaches_past_the_file_is_truncated() -> None:
    with pytest.raises(BadImage, match="truncated"):
        read(_png(_PIXELS, struct.pack(">I", 5) + b"IEND" + b"\x00" * 4))


@pytest.mark.parametrize("at", [11, 12, 19, 29])
def test_a_changed_first_chunk_is_damage(make: Make, at: int) -> None:
    data = bytearray(make("PNG"))
    data[at] ^= 1
    with pytest.raises(BadImage, match=r"damaged \(its first chunk\)"):
        read(bytes(data))


def test_a_flood_of_empty_chunks_is_refused() -> None:
    with pytest.raises(BadImage, match="more than 200,000 chunks"):
        read(_png(_chunk(b"tEXt") * 200_001, _PIXELS, _END))


def test_check_finds_one_flipped_bit_of_the_pixels_and_says_where(make: Make) -> None:
    data = bytearray(make("PNG"))
    check(bytes(data))
    at = data.index(b"IDAT") - 4
    data[at + 20] ^= 1
    with pytest.raises(BadImage, match=f"the checksum at byte {at}"):
        check(bytes(data))


def test_check_leaves_alone_what_no_decoder_needs() -> None:
    wrong = _chunk(b"tEXt", b"a")[:-1] + b"!"
    check(_png(wrong, _PIXELS, _END))
    check(_png(_PIXELS, _END, _PIXELS[:-1] + b"!"))
