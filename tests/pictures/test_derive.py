from __future__ import annotations

import numpy as np
import pytest

from relightflow.model.form import Form
from relightflow.pictures import BadPicture, encode, load, probe
from relightflow.pictures.derive import derive
from relightflow.testing import sample_picture

PNG = sample_picture()


@pytest.mark.parametrize("media_type", ["image/webp", "image/jpeg"])
def test_a_copy_is_of_the_form_and_size_that_is_asked_for(media_type: str) -> None:
    found = probe(derive(PNG, "image/png", Form(media_type, 80)))
    assert (found.media_type, found.width, found.height) == (media_type, 48, 32)


@pytest.mark.parametrize("media_type", ["image/webp", "image/jpeg"])
def test_the_same_picture_gives_the_same_bytes(media_type: str) -> None:
    form = Form(media_type)
    assert derive(PNG, "image/png", form) == derive(PNG, "image/png", form)


def test_a_png_of_a_jpeg_has_its_very_pixels() -> None:
    jpeg = derive(PNG, "image/png", Form("image/jpeg"))
    copy = derive(jpeg, "image/jpeg", Form("image/png"))
    assert np.array_equal(load(copy).rgb, load(jpeg).rgb)


def test_what_is_of_the_form_already_is_not_touched() -> None:
    assert derive(PNG, "image/png", Form("image/png")) is PNG


def test_less_quality_is_fewer_bytes() -> None:
    sizes = [len(derive(PNG, "image/png", Form("image/jpeg", quality))) for quality in (20, 95)]
    assert sizes[0] < sizes[1]


def test_transparency_stays_where_the_form_has_it_and_is_white_where_not() -> None:
    clear = np.zeros((4, 4), np.uint8)
    data = encode(np.zeros((4, 4, 3), np.uint8), "image/png", alpha=clear)
    webp = load(derive(data, "image/png", Form("image/webp")))
    assert webp.alpha is not None
    assert webp.alpha.max() == 0
    assert load(derive(data, "image/png", Form("image/jpeg"))).rgb.min() >= 254


def test_a_picture_that_the_form_cannot_hold_is_told_in_words() -> None:
    long = encode(np.zeros((1, 16_384, 3), np.uint8), "image/png")
    with pytest.raises(BadPicture, match="16384 × 1 pixels are more than a webp holds"):
        derive(long, "image/png", Form("image/webp"))


def test_damage_is_told_in_words() -> None:
    with pytest.raises(BadPicture):
        derive(PNG[:-20], "image/png", Form("image/webp"))
