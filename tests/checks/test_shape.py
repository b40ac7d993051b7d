"""Size, shape, type, transparency, borders and blur."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageFilter
import pytest

from relightflow.plugins.check import CheckImage
from tests.checks.drawn import (
    HEIGHT,
    WIDTH,
    Array,
    lit,
    looked_at,
    scene,
    verdicts,
    words,
)

IMAGE = scene()
SOURCE = looked_at(IMAGE)
LIT = looked_at(lit(IMAGE, across=-0.5))


def one(
    name: str, result: CheckImage, source: CheckImage | None = SOURCE, **options: object
) -> str:
    return words(verdicts(name, [({}, result)], source, **options))[0]


def test_size_is_held_against_each_bound() -> None:
    assert one("size", LIT, width=WIDTH, height=HEIGHT) == "pass"
    assert one("size", LIT, min_width=WIDTH + 1) == "fail"
    assert one("size", LIT, max_height=HEIGHT - 1) == "fail"
    found = verdicts("size", [({}, LIT)], None, min_width=400)[0]
    assert found
    assert found.message == "it should be at least 400 px wide"


def test_aspect_allows_for_rounded_sizes() -> None:
    assert one("aspect", LIT) == "pass"
    assert one("aspect", looked_at(lit(IMAGE)[:, : WIDTH - 6])) == "pass"
    assert one("aspect", looked_at(lit(IMAGE)[:, :HEIGHT])) == "fail"
    assert one("aspect", LIT, None) == "unsure"


def test_format_is_that_of_the_bytes() -> None:
    assert one("format", LIT, allowed=["png"]) == "pass"
    assert one("format", LIT, allowed=["jpeg", "webp"]) == "fail"


def test_alpha_is_as_in_the_input_or_as_the_recipe_says() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[60:180, 80:240] = 255
    cutout = looked_at(IMAGE, mask)
    assert one("alpha", LIT) == "pass"
    assert one("alpha", LIT, cutout) == "fail"
    assert one("alpha", cutout, cutout) == "pass"
    assert one("alpha", LIT, cutout, expect="opaque") == "pass"
    assert one("alpha", LIT, None) == "unsure"


def framed(image: Array, colour: float, *sides: str) -> Array:
    image = image.copy()
    width = 10
    places: dict[str, Any] = {
        "left": np.s_[:, :width], "right": np.s_[:, -width:],
        "top": np.s_[:width], "bottom": np.s_[-width:],
    }  # fmt: skip
    for side in sides:
        image[places[side]] = colour
    return image


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
@pytest.mark.parametrize("colour", [0.0, 1.0])
def test_a_border_is_found_at_every_side(side: str, colour: float) -> None:
    found = verdicts("border", [({}, looked_at(framed(lit(IMAGE), colour, side)))], SOURCE)[0]
    assert found
    assert (str(found.verdict), f"at the {side}" in found.message) == ("fail", True)


def test_a_border_that_the_input_has_and_a_fade_to_black_are_none() -> None:
    bordered = framed(IMAGE, 1.0, "left", "top")
    assert one("border", looked_at(lit(bordered, across=-0.2)), looked_at(bordered)) == "pass"
    fade = np.clip(np.linspace(-0.3, 3, HEIGHT), 0, 1)[:, None, None]
    assert one("border", looked_at(IMAGE * fade)) == "pass"
    assert one("border", LIT) == "pass"


@pytest.mark.parametrize("radius", [1.5, 4, 10])
def test_blur_is_seen_and_light_is_not(radius: float) -> None:
    pixels = PIL.Image.fromarray((lit(IMAGE, stops=-0.5) * 255).astype(np.uint8))
    blurred = np.asarray(pixels.filter(PIL.ImageFilter.GaussianBlur(radius))) / 255
    assert one("sharpness", looked_at(blurred)) == "fail"
    for stops in (-1.5, 0, 0.5):
        assert one("sharpness", looked_at(lit(IMAGE, across=0.5, stops=stops))) == "pass"


def test_without_the_input_image_siblings_tell_what_is_sharp() -> None:
    pixels = PIL.Image.fromarray((IMAGE * 255).astype(np.uint8))
    blurred = looked_at(np.asarray(pixels.filter(PIL.ImageFilter.GaussianBlur(3))) / 255)
    results = [({"n": str(n)}, image) for n, image in enumerate((LIT, SOURCE, LIT, blurred))]
    assert words(verdicts("sharpness", results, None)) == ["pass", "pass", "pass", "fail"]
    assert one("sharpness", LIT, None) == "unsure"
