from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from relightflow.backends.emulator.rendering import light, render, stand_in
from relightflow.images import decode, encode, probe
from relightflow.model.values import FrozenMap

CELL = FrozenMap({"light_direction": "left", "light_type": "softbox"})


def test_image_is_the_input_relit_in_its_own_type_and_size() -> None:
    original = encode(np.full((40, 60, 3), 128, np.uint8), "image/png")
    made = probe(render(original, "", CELL))
    assert (made.media_type, made.width, made.height) == ("image/png", 60, 40)


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_image_has_the_type_that_was_asked_for(media_type: Any) -> None:
    assert probe(render(None, "https://example.com/a", CELL, media_type)).media_type == media_type


def test_light_comes_from_where_it_was_asked_to() -> None:
    left = decode(render(None, "https://example.com/a", CELL)).astype(float)
    right = decode(render(None, "https://example.com/a", FrozenMap({"light_direction": "right"})))
    half = left.shape[1] // 2
    assert left[:, :half].mean() > left[:, half:].mean()
    assert right[:, :half].mean() < right[:, half:].mean()


def test_two_addresses_have_two_stand_ins() -> None:
    assert stand_in("https://example.com/a") != stand_in("https://example.com/b")


def test_damaged_input_gets_a_stand_in() -> None:
    assert probe(render(b"\xff\xd8 no image", "", CELL)).media_type == "image/jpeg"


def test_prompt_names_the_light() -> None:
    chosen = light(FrozenMap({"prompt": "Sunset light from the left, softbox"}))
    assert dict(chosen) == {
        "light_direction": "left",
        "light_intensity": "medium",
        "light_temperature": "sunset",
        "light_type": "softbox",
    }
