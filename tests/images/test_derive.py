from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from relightflow.images import BadImage, encode, load, probe
from relightflow.images.derive import derive, upright
from relightflow.images.probing import read_header
from relightflow.model.output_format import OutputFormat
from relightflow.testing import sample_image_bytes

PNG = sample_image_bytes()


@pytest.mark.parametrize("media_type", ["image/webp", "image/jpeg"])
def test_a_copy_is_of_the_form_and_size_that_is_asked_for(media_type: str) -> None:
    found = probe(derive(PNG, "image/png", OutputFormat(media_type, 80)))
    assert (found.media_type, found.width, found.height) == (media_type, 48, 32)


@pytest.mark.parametrize("media_type", ["image/webp", "image/jpeg"])
def test_the_same_image_gives_the_same_bytes(media_type: str) -> None:
    form = OutputFormat(media_type)
    assert derive(PNG, "image/png", form) == derive(PNG, "image/png", form)


def test_a_png_of_a_jpeg_has_its_very_pixels() -> None:
    jpeg = derive(PNG, "image/png", OutputFormat("image/jpeg"))
    copy = derive(jpeg, "image/jpeg", OutputFormat("image/png"))
    assert np.array_equal(load(copy).rgb, load(jpeg).rgb)


def test_what_is_of_the_form_already_is_not_touched() -> None:
    assert derive(PNG, "image/png", OutputFormat("image/png")) is PNG


def test_less_quality_is_fewer_bytes() -> None:
    sizes = [
        len(derive(PNG, "image/png", OutputFormat("image/jpeg", quality))) for quality in (20, 95)
    ]
    assert sizes[0] < sizes[1]


def test_transparency_stays_where_the_form_has_it_and_is_white_where_not() -> None:
    clear = np.zeros((4, 4), np.uint8)
    data = encode(np.zeros((4, 4, 3), np.uint8), "image/png", alpha=clear)
    webp = load(derive(data, "image/png", OutputFormat("image/webp")))
    assert webp.alpha is not None
    assert webp.alpha.max() == 0
    assert load(derive(data, "image/png", OutputFormat("image/jpeg"))).rgb.min() >= 254


def test_an_image_that_the_form_cannot_hold_is_told_in_words() -> None:
    long = encode(np.zeros((1, 16_384, 3), np.uint8), "image/png")
    with pytest.raises(BadImage, match="16384 × 1 pixels are too many for webp"):
        derive(long, "image/png", OutputFormat("image/webp"))


def test_damage_is_told_in_words() -> None:
    with pytest.raises(BadImage):
        derive(PNG[:-20], "image/png", OutputFormat("image/webp"))


def turned(media_type: str) -> bytes:
    """48 × 32 pixels that are to be shown as 32 × 48."""
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    with PIL.Image.open(io.BytesIO(PNG)) as image:
        image.save(out, media_type.partition("/")[2], exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/webp"])
def test_an_image_that_lies_on_its_side_is_turned_and_keeps_its_type(media_type: str) -> None:
    data = turned(media_type)
    copy = upright(data, media_type)
    header = read_header(copy)
    assert (header.media_type, header.orientation) == (media_type, 1)
    assert (header.width, header.height) == (32, 48)
    assert np.abs(load(copy).rgb.astype(int) - load(data).rgb).mean() < 3
    assert upright(copy, media_type) is copy


def test_an_upright_image_of_another_type_is_converted() -> None:
    assert read_header(upright(PNG, "image/webp")).media_type == "image/webp"
