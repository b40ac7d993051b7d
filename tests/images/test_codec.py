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

from relightflow.images import BadImage, decode, encode, load, probe, thumbnail, verify

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
    assert data == encode(PIL.Image.fromarray(pixels), media_type)
    assert probe(data).media_type == media_type
    assert close(decode(data), pixels, 4)


@pytest.mark.parametrize("media_type", ["image/png", "image/webp"])
def test_transparency_is_written_back(make: Make, media_type: str) -> None:
    pixels = decode(make("PNG"))
    alpha = np.arange(32 * 48, dtype=np.uint16).reshape(32, 48).astype(np.uint8)
    kept = load(encode(pixels, media_type, alpha=alpha)).alpha
    assert kept is not None
    assert np.array_equal(kept, alpha)
    data = encode(pixels, media_type, alpha=alpha)
    assert data == encode(PIL.Image.fromarray(pixels), media_type, alpha=alpha)


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


def chunked(width: int, height: int, bits: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG from its rows (each with its filter byte) and further chunks, as `kind + body`."""
    parts = [
        b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0),
        *extra,
        b"IDAT" + zlib.compress(rows),
        b"IEND",
    ]
    packed = [struct.pack(">I", len(p) - 4) + p + struct.pack(">I", zlib.crc32(p)) for p in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize(
    ("bits", "colour", "row", "key"),
    [
        (16, 0, struct.pack(">2H", 40_000, 40_001), struct.pack(">H", 40_000)),
        (8, 0, bytes((9, 10)), struct.pack(">H", 9)),
        (4, 0, bytes((0x56,)), struct.pack(">H", 5)),
        (2, 0, bytes((0b0110_0000,)), struct.pack(">H", 1)),
        (1, 0, bytes((0b0100_0000,)), struct.pack(">H", 0)),
        (8, 2, bytes((1, 2, 3, 1, 2, 4)), struct.pack(">3H", 1, 2, 3)),
        (
            16,
            2,
            struct.pack(">6H", 256, 512, 768, 256, 512, 1024),
            struct.pack(">3H", 256, 512, 768),
        ),
    ],
)
def test_the_grey_or_colour_that_a_png_calls_transparent_is(
    bits: int, colour: int, row: bytes, key: bytes
) -> None:
    alpha = load(chunked(2, 1, bits, colour, b"\0" + row, b"tRNS" + key)).alpha
    assert alpha is not None
    assert alpha.tolist() == [[0, 255]]


def test_texts_and_profiles_that_unpack_to_megabytes_are_no_damage(make: Make) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    large = profile + bytes(3 << 20)
    with PIL.Image.open(io.BytesIO(make("PNG"))) as opened:
        rows = b"".join(b"\0" + bytes(np.asarray(opened.convert("RGB"))[y]) for y in range(32))
    data = chunked(
        48, 32, 8, 2, rows,
        b"zTXt" + b"a\0\0" + zlib.compress(b"x" * (3 << 20)),
        b"iTXt" + b"b\0\1\0\0\0" + zlib.compress(b"y" * (3 << 20)),
        b"iCCP" + b"c\0\0" + zlib.compress(large),
    )  # fmt: skip
    assert np.array_equal(decode(data), decode(make("PNG")))
    verify(data)
    assert decode(make("JPEG", icc_profile=large)).shape == (32, 48, 3)
    assert decode(make("WEBP", icc_profile=large)).shape == (32, 48, 3)


def test_a_profile_is_judged_by_what_it_does(make: Make) -> None:
    other = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red = other.index(b"XYZ ", 200)
    for place in range(red, len(other) - 20):
        if other[place : place + 4] == b"XYZ " and place > 128:
            struct.pack_into(">3i", other, place + 8, 20_000, 30_000, 8_000)
    named = bytes(other) + b"sRGB IEC61966-2.1"
    plain = decode(make("PNG"))
    assert not np.array_equal(decode(make("PNG", icc_profile=named)), plain)


def test_a_palette_with_several_transparencies_decodes_without_a_warning() -> None:
    image = PIL.Image.new("P", (4, 4))
    image.putpalette([n for n in range(256) for _ in range(3)])
    image.putdata([*range(16)])
    out = io.BytesIO()
    image.save(out, "PNG", transparency=bytes(range(0, 256, 16)))
    pixels = load(out.getvalue())
    assert pixels.alpha is not None
    assert pixels.rgb[0, 3].tolist() == [3, 3, 3]


def test_what_only_pixels_show_is_found_before_anything_is_sent(make: Make) -> None:
    for kind in TYPES:
        verify(make(kind))
    noise = np.random.default_rng(1).integers(0, 255, (160, 160, 3), dtype=np.uint8)
    webp = encode(noise, "image/webp")
    verify(webp)
    cut = len(webp) * 2 // 3
    data = webp[:cut] + bytes(len(webp) - cut)
    probe(data)
    with pytest.raises(BadImage, match="truncated"):
        verify(data)
    rows = b"".join(b"\0" + bytes(48 * 3) for _ in range(20))
    with pytest.raises(BadImage, match="truncated"):
        verify(chunked(48, 32, 8, 2, rows))
    verify(b"no image")  # whoever planned it knows better


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (48, 33)])
def test_a_whole_png_of_any_kind_has_all_its_rows(mode: str, size: tuple[int, int]) -> None:
    out = io.BytesIO()
    PIL.Image.new(mode, size).save(out, "PNG")
    verify(out.getvalue())


def test_an_interlaced_png_has_all_its_rows_and_misses_them_if_cut() -> None:
    passes = ((1, 1), (1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 4))  # of 8 x 8, Adam7
    rows = b"".join((b"\0" + bytes(3 * across)) * down for across, down in passes)
    whole = bytearray(chunked(8, 8, 8, 2, rows))
    whole[28] = 1
    struct.pack_into(">I", whole, 29, zlib.crc32(bytes(whole[12:29])))
    verify(bytes(whole))
    cut = bytearray(chunked(8, 8, 8, 2, rows[:-20]))
    cut[28] = 1
    struct.pack_into(">I", cut, 29, zlib.crc32(bytes(cut[12:29])))
    with pytest.raises(BadImage, match="truncated"):
        verify(bytes(cut))
