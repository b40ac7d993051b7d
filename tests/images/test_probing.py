from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable

import PIL.Image
import pytest

from relightflow.images import MAX_PIXELS, MAX_SIDE, BadImage, Probed, probe

Make = Callable[..., bytes]


@pytest.mark.parametrize(
    ("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_type_and_size_come_from_the_content(make: Make, kind: str, media_type: str) -> None:
    assert probe(make(kind)) == Probed(media_type, 48, 32)


def test_lossless_and_extended_webp_are_read(make: Make) -> None:
    assert probe(make("WEBP", lossless=True)) == Probed("image/webp", 48, 32)
    assert probe(make("WEBP", mode="RGBA", exif=b"")) == Probed("image/webp", 48, 32)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_size(make: Make, kind: str, orientation: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    found = probe(make(kind, exif=exif))
    assert (found.width, found.height) == ((48, 32) if orientation < 5 else (32, 48))


def test_empty_is_refused() -> None:
    with pytest.raises(BadImage, match="empty file"):
        probe(b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("left", [3, 20, 100, -1, -40])
def test_a_file_that_is_cut_short_is_refused(make: Make, kind: str, left: int) -> None:
    with pytest.raises(BadImage):
        probe(make(kind)[:left])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_half_a_file_is_said_to_be_cut_short(make: Make, kind: str) -> None:
    data = make(kind, 200, 200)
    with pytest.raises(BadImage, match="truncated"):
        probe(data[: len(data) // 2])


def test_a_jpeg_whose_thumbnail_is_whole_is_still_cut_short(make: Make) -> None:
    whole = make("JPEG", 200, 200)
    comment = b"\xff\xfe" + struct.pack(">H", 8) + b"\xff\xd9abcd"
    with pytest.raises(BadImage, match="truncated"):
        probe(whole[:2] + comment + whole[2 : len(whole) // 2])


def test_bytes_after_the_image_do_no_harm(make: Make) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        assert probe(make(kind) + b"\x00" * 100).width == 48


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"GIF89a" + b"\x00" * 20, "GIF"),
        (b"BM" + b"\x00" * 40, "BMP"),
        (b"II*\x00" + b"\x00" * 40, "TIFF"),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 20, "HEIC"),
        (b"\x00\x00\x00\x18ftypavif" + b"\x00" * 20, "AVIF"),
        (b"\x00\x00\x00\x18ftypisom" + b"\x00" * 20, "a video"),
        (b"\xff\x0a" + b"\x00" * 20, "JPEG XL"),
        (b"%PDF-1.7", "PDF"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "SVG"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b'{"error": "no"}', "JSON"),
        (b"hello", "not a supported image"),
    ],
)
def test_other_formats_are_refused_by_name(data: bytes, word: str) -> None:
    with pytest.raises(BadImage, match=word) as refusal:
        probe(data)
    assert ":" in refusal.value.reason, "it says what to do"


def _png_of_size(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00" * 1000)
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    with pytest.raises(BadImage, match="60000×60000 pixels, more than 80 million"):
        probe(_png_of_size(60_000, 60_000))


def test_the_largest_size_is_taken_and_one_row_more_is_not() -> None:
    assert probe(_png_of_size(10_000, MAX_PIXELS // 10_000)).width == 10_000
    with pytest.raises(BadImage):
        probe(_png_of_size(10_000, MAX_PIXELS // 10_000 + 1))


@pytest.mark.parametrize("turned", [False, True])
def test_a_strip_of_few_pixels_is_refused_by_its_longer_side(turned: bool) -> None:
    def strip(longer: int) -> bytes:
        return _png_of_size(*((1, longer) if turned else (longer, 1)))

    assert max(probe(strip(MAX_SIDE)).width, probe(strip(MAX_SIDE)).height) == MAX_SIDE
    with pytest.raises(BadImage, match="more than 30,000 on a side: scale it down or crop it"):
        probe(strip(60_000))


def test_no_pixels_at_all_is_refused() -> None:
    with pytest.raises(BadImage, match="nothing to relight"):
        probe(_png_of_size(0, 5))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_refused(make: Make, kind: str) -> None:
    frame = PIL.Image.new("RGB", (48, 32), "red")
    with pytest.raises(BadImage, match="animated"):
        probe(make(kind, save_all=True, append_images=[frame], duration=100))


def test_damaged_segments_are_refused(make: Make) -> None:
    jpeg = make("JPEG")
    for bad in (
        jpeg[:4] + b"\x00\x01" + jpeg[6:],  # a segment shorter than its own length
        b"\xff\xd8\xff\xd9" + jpeg,
        jpeg.replace(b"\xff\xc0", b"\xff\xfe"),  # no frame
    ):
        with pytest.raises(BadImage, match="damaged"):
            probe(bad)


def test_a_flood_of_tiny_segments_is_refused(make: Make) -> None:
    flood = b"\xff\xd8" + b"\xff\xfe\x00\x02" * 200_000 + make("JPEG")[2:]
    with pytest.raises(BadImage, match="segments"):
        probe(flood)


def test_a_12_bit_jpeg_is_refused_by_name(make: Make) -> None:
    jpeg = make("JPEG")
    at = jpeg.index(b"\xff\xc0") + 4
    with pytest.raises(BadImage, match="12-bit"):
        probe(jpeg[:at] + b"\x0c" + jpeg[at + 1 :])


def test_probing_loads_neither_pillow_nor_numpy(make: Make) -> None:
    program = (
        "import sys; from relightflow.images import probe; "
        "probe(bytes.fromhex(sys.argv[1])); print({'PIL', 'numpy'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, make("PNG").hex()], capture_output=True, text=True
    )
    assert ran.stdout.strip() == "set()", ran.stderr
