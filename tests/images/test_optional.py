"""Real HEIC, AVIF and TIFF files, with the extra and without it."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pillow_heif
import pytest

from relightflow.images import BadImage, codec, load, optional, portable, probe, thumbnail, verify

RED, BLUE = (200, 30, 30), (30, 30, 200)


def picture(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> PIL.Image.Image:
    """Red, with a blue corner at the top left."""
    image = PIL.Image.new("RGB", size, RED)
    image.paste(BLUE, (0, 0, size[0] // 2, size[1] // 2))
    return image.convert(mode)


def saved(kind: str, image: PIL.Image.Image | None = None, **options: object) -> bytes:
    pillow_heif.register_heif_opener()
    out = io.BytesIO()
    (image or picture()).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "media_type", "sent"),
    [
        ("HEIF", "image/heic", "image/jpeg"),
        ("AVIF", "image/avif", "image/jpeg"),
        ("TIFF", "image/tiff", "image/png"),
    ],
)
def test_each_is_known_decoded_and_sent_as_what_providers_take(
    kind: str, media_type: str, sent: str
) -> None:
    data = saved(kind)
    probed = probe(data)
    assert (probed.media_type, probed.width, probed.height) == (media_type, 60, 40)
    pixels = load(data)
    assert np.abs(pixels.rgb[5, 5].astype(int) - BLUE).max() < 25
    assert np.abs(pixels.rgb[35, 55].astype(int) - RED).max() < 25
    assert thumbnail(data, 30, 30).shape == (20, 30, 3)
    converted, found = portable(data)
    assert (found, probe(converted).media_type) == (sent, sent)
    assert portable(data)[0] == converted
    verify(data)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "TIFF"])
def test_each_is_turned_upright(kind: str) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    data = saved(kind, exif=exif.tobytes())  # a HEIC then has `irot`, as those of phones
    probed = probe(data)
    assert (probed.width, probed.height) == (40, 60)
    assert np.abs(load(data).rgb[5, 35].astype(int) - BLUE).max() < 25


def test_transparency_is_kept_and_16_bits_become_8() -> None:
    clear = picture("RGBA")
    clear.putalpha(PIL.Image.new("L", clear.size, 100))
    for kind in ("HEIF", "AVIF", "TIFF"):
        converted, media_type = portable(saved(kind, clear))
        assert media_type == "image/png"
        alpha = load(converted).alpha
        assert alpha is not None
        assert abs(int(alpha[0, 0]) - 100) < 4
    grey = PIL.Image.fromarray(np.full((4, 4), 40_000, np.uint16))
    assert load(saved("TIFF", grey)).rgb[0, 0].tolist() == [156, 156, 156]
    assert load(saved("TIFF", picture("CMYK"))).rgb.shape == (40, 60, 3)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "TIFF"])
def test_what_is_cut_short_is_refused(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (90, 90, 3), dtype=np.uint8)
    data = saved(kind, PIL.Image.fromarray(noise))
    for part in (data[: len(data) // 2], data[:-40]):
        with pytest.raises(BadImage):
            probe(part)


def test_several_pages_are_refused() -> None:
    data = saved("TIFF", picture(), save_all=True, append_images=[picture()])
    with pytest.raises(BadImage, match="has 2 pages"):
        probe(data)


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}])
def test_the_preview_in_a_raw_file_is_no_image(tags: dict[int, object]) -> None:
    with pytest.raises(BadImage, match="camera raw"):
        probe(saved("TIFF", tiffinfo=tags))


@pytest.mark.parametrize(("kind", "name"), [("HEIF", "HEIC"), ("AVIF", "AVIF"), ("TIFF", "TIFF")])
def test_without_the_extra_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    data = saved(kind)
    monkeypatch.setattr(optional, "is_installed", lambda: False)
    for read in (probe, codec.load):
        with pytest.raises(BadImage) as caught:
            read(data)
        assert caught.value.reason == (
            f"not a supported image ({name}): install relightflow[formats] to use it, or convert it to "
            "JPEG, PNG or WebP"
        )
