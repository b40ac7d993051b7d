from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ImageCms

from relightflow.images import BadImage, decode, encode, load, probe, thumbnail

Make = Callable[..., bytes]
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def close(left: np.ndarray, right: np.ndarray, within: float) -> bool:
    return float(np.abs(left.astype(float) - right.astype(float)).mean()) <= within


@pytest.mark.parametrize("kind", TYPES)
def test_pixels_are_sRGB_rows_by_columns(make: Make, kind: str) -> None:  # noqa: N802
    pixels = decode(make(kind))
    assert pixels.shape == (32, 48, 3)
    assert pixels.dtype == np.uint8
    assert close(pixels, decode(make("PNG")), 6)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_pixels(make: Make, kind: str, orientation: int) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    data = make(kind, exif=exif)
    with PIL.Image.open(io.BytesIO(make(kind))) as stored:
        upright = np.asarray(stored.convert("RGB"))
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright[::-1].transpose(1, 0, 2),
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: upright.transpose(1, 0, 2)[::-1],
    }[orientation]
    pixels = decode(data)
    assert np.array_equal(pixels, turned)
    found = probe(data)
    assert pixels.shape[:2] == (found.height, found.width)


@pytest.mark.parametrize("kind", TYPES)
def test_one_pixel_is_an_image(make: Make, kind: str) -> None:
    assert decode(make(kind, 1, 1)).shape == (1, 1, 3)


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGBA"])
def test_every_png_mode_becomes_colour(make: Make, mode: str) -> None:
    grey = decode(make("PNG", mode="L" if mode in {"L", "LA"} else "RGB"))
    pixels = decode(make("PNG", mode=mode))
    assert pixels.shape == (32, 48, 3)
    assert close(pixels, grey, 30 if mode == "P" else 1)


def test_black_and_white_stays_so(make: Make) -> None:
    assert set(decode(make("PNG", mode="1")).ravel().tolist()) == {0, 255}


def test_cmyk_is_not_inverted(save: Callable[..., bytes]) -> None:
    red = save(PIL.Image.new("RGB", (16, 16), (220, 40, 30)).convert("CMYK"), "JPEG")
    assert close(decode(red)[8, 8], np.array([220, 40, 30]), 12)


def test_16_bit_grey_is_scaled_and_not_cut_off(save: Callable[..., bytes]) -> None:
    wide = np.linspace(0, 65535, 256).astype(np.uint16)[None, :].repeat(4, 0)
    pixels = decode(save(PIL.Image.fromarray(wide), "PNG"))
    assert np.array_equal(pixels[0, :, 0], np.arange(256))


def test_16_bit_colour_is_scaled() -> None:
    row = b"\x00" + struct.pack(">3H", 65535, 32896, 257) * 4
    head = struct.pack(">IIBBBBB", 4, 2, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(row * 2)), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body
        data += struct.pack(">I", zlib.crc32(kind + body))
    assert decode(data)[1, 2].tolist() == [255, 128, 1]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_kept_apart_and_laid_on_white(
    save: Callable[..., bytes], kind: str
) -> None:
    image = PIL.Image.new("RGBA", (8, 8), (200, 0, 0, 255))
    image.paste((200, 0, 0, 0), (0, 0, 4, 8))
    data = save(image, kind, lossless=True, exact=True)
    alpha = load(data).alpha
    assert alpha is not None
    assert alpha[0].tolist() == [0] * 4 + [255] * 4
    assert decode(data)[0, 0].tolist() == [255, 255, 255]
    assert decode(data)[0, 7].tolist() == [200, 0, 0]


def test_an_alpha_that_hides_nothing_is_none(make: Make) -> None:
    assert load(make("PNG", mode="RGBA")).alpha is None


def test_a_colour_profile_is_applied(make: Make) -> None:
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"tttt"), (b"bXYZ", b"rXYZ"), (b"tttt", b"bXYZ")):
        swapped = swapped.replace(old, new)
    pixels = decode(make("PNG", icc_profile=swapped))
    assert close(pixels, decode(make("PNG"))[:, :, ::-1], 2), "red and blue change places"


def test_a_broken_colour_profile_is_ignored(make: Make) -> None:
    assert np.array_equal(decode(make("PNG", icc_profile=b"junk" * 50)), decode(make("PNG")))


def test_damage_inside_the_pixels_is_found(make: Make) -> None:
    data = bytearray(make("PNG", 300, 300))
    at = data.index(b"IDAT") + 40
    data[at : at + 200] = b"\x00" * 200
    assert probe(bytes(data)).width == 300
    with pytest.raises(BadImage, match="damaged"):
        decode(bytes(data))


def test_a_stream_that_cannot_be_decoded_is_refused(make: Make) -> None:
    data = make("WEBP", 300, 300, lossless=True)
    with pytest.raises(BadImage, match="the WebP is damaged"):
        decode(data[:40] + b"\xff" * (len(data) - 40))


@pytest.mark.parametrize("media_type", TYPES.values())
def test_the_same_pixels_give_the_same_bytes(make: Make, media_type: str) -> None:
    pixels = decode(make("PNG"))
    data = encode(pixels, media_type)
    assert data == encode(pixels.copy(), media_type)
    assert probe(data).media_type == media_type
    assert close(decode(data), pixels, 4)


@pytest.mark.parametrize("media_type", ["image/png", "image/webp"])
def test_transparency_is_written_back(make: Make, media_type: str) -> None:
    pixels = decode(make("PNG"))
    alpha = np.arange(32 * 48, dtype=np.uint16).reshape(32, 48).astype(np.uint8)
    kept = load(encode(pixels, media_type, alpha=alpha)).alpha
    assert kept is not None
    assert np.array_equal(kept, alpha)


def test_what_cannot_be_written_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="image/gif"):
        encode(np.zeros((2, 2, 3), np.uint8), "image/gif")
    with pytest.raises(ValueError, match="uint8"):
        encode(np.zeros((2, 2), np.uint8), "image/png")


@pytest.mark.parametrize("kind", TYPES)
def test_a_thumbnail_fits_and_is_the_same_image(make: Make, kind: str) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    data = make(kind, 600, 400, exif=exif)
    small = thumbnail(data, 100, 100)
    assert small.shape == (100, 67, 3)
    whole = PIL.Image.fromarray(decode(data)).resize((67, 100), PIL.Image.Resampling.LANCZOS)
    assert close(small, np.asarray(whole), 2)


def test_a_thumbnail_never_grows(make: Make) -> None:
    assert thumbnail(make("JPEG"), 1000, 1000).shape == (32, 48, 3)


SEEDS = [
    encode(np.random.default_rng(3).integers(0, 255, (24, 40, 3), dtype=np.uint8), kind)
    for kind in TYPES.values()
]


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.filterwarnings("ignore")  # Pillow may warn of damaged metadata; the verdict counts
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(min_size=1, max_size=6)), max_size=8),
    st.integers(0, 10_000),
)
def test_no_damage_raises_anything_but_bad_image(
    seed: bytes, hits: list[tuple[int, bytes]], keep: int
) -> None:
    data = bytearray(seed)
    for at, junk in hits:
        at %= len(data)
        data[at : at + len(junk)] = junk
    mutant = bytes(data[: max(1, keep)])
    try:
        found = probe(mutant)
        pixels = decode(mutant)
    except BadImage:
        return
    assert pixels.shape == (found.height, found.width, 3)
