from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from relightflow.backends.preview import rendering
from relightflow.backends.preview.rendering import Renderer, render
from relightflow.backends.preview.scene import Surface
from relightflow.backends.preview.shading import Shading

Bytes = np.ndarray[Any, Any]
WHITE = np.ones(3, np.float32)


def surface(pixels: Bytes) -> Surface:
    plain = np.zeros(pixels.shape[:2], np.int8)
    luma = pixels.mean(axis=2).astype(np.uint8)
    none = np.zeros_like(luma)
    return Surface(
        np.ascontiguousarray(pixels.transpose(2, 0, 1)), luma, none, none, (plain, plain)
    )


def shading(pixels: Bytes, gain: Bytes) -> Shading:
    gain = gain.astype(np.float32)
    ones = np.ones(256, np.float32)
    matte = np.zeros(pixels.shape[:2], np.uint8)
    return Shading(matte, gain, gain, ones, (0.0, 0.0), None, ones, None, WHITE, None)


def lit(pixels: Bytes, gain: Bytes, **changes: Any) -> Bytes:
    return render(surface(pixels), dataclasses.replace(shading(pixels, gain), **changes))


def test_a_gain_of_one_changes_nothing_but_the_brightest() -> None:
    pixels = np.arange(0, 256, dtype=np.uint8)[None, :, None].repeat(8, 0).repeat(3, 2)
    out = lit(pixels, np.ones((8, 256))).astype(int)
    assert np.abs(out - pixels)[:, :170].max() <= 1
    assert np.abs(out - pixels).max() <= 10


def test_highlights_roll_off_and_never_wrap() -> None:
    pixels = np.full((4, 64, 3), 240, np.uint8)
    out = lit(pixels, np.linspace(0.1, 8, 64)[None, :].repeat(4, 0))
    row = out[:, :, 0].astype(int).mean(axis=0)
    assert (np.diff(row) >= -1).all()
    assert 250 < row[-1] < 255


def test_twice_the_light_clips_nothing_that_was_not_clipped() -> None:
    pixels = np.arange(0, 246, dtype=np.uint8)[None, :, None].repeat(4, 0).repeat(3, 2)
    assert lit(pixels, np.full((4, 246), 2.0)).max() < 254


def test_a_colour_that_rolls_off_keeps_its_hue() -> None:
    """The order and the proportion of the differences between the channels."""
    pixels = np.zeros((4, 4, 3), np.uint8) + np.array([220, 160, 130], np.uint8)
    red, green, blue = lit(pixels, np.full((4, 4), 1.8))[0, 0].astype(float)
    assert abs((green - blue) / (red - blue) - (160 - 130) / (220 - 130)) < 0.05


def test_strips_leave_no_seam() -> None:
    pixels = np.full((1400, 100, 3), 128, np.uint8)
    fall = np.linspace(1.3, 0.5, 50)[:, None].repeat(12, 1)
    steps = np.diff(lit(pixels, fall).astype(int).mean(axis=(1, 2)))
    assert np.abs(steps).max() < 1


def test_a_smooth_light_has_no_bands() -> None:
    """Each row of a slow gradient mixes two codes: its mean moves although its codes do not."""
    pixels = np.full((256, 400, 3), 100, np.uint8)
    fall = np.linspace(1.0, 1.05, 64)[:, None].repeat(100, 1)
    means = lit(pixels, fall)[:, :, 1].mean(axis=1)
    assert len(np.unique(np.round(means, 1))) > 30


def test_contrast_is_by_brightness() -> None:
    tone = np.ones(256, np.float32)
    tone[60], tone[190] = 0.8, 1.1
    pixels = np.array([[[60] * 3, [124] * 3, [190] * 3]], np.uint8)
    dark, middle, bright = lit(pixels, np.ones((1, 3)), tone=tone)[0, :, 0].astype(int)
    assert dark < 60 - 8
    assert abs(middle - 124) <= 2
    assert bright > 190 + 5


def test_the_matte_lays_one_layer_over_the_other() -> None:
    pixels = np.full((4, 4, 3), 100, np.uint8)
    matte = np.zeros((4, 4), np.uint8)
    matte[:, 2:] = 255
    out = lit(pixels, np.ones((4, 4)), before=np.full((4, 4), 0.5, np.float32), matte=matte)
    assert np.abs(out[:, :2].astype(int) - 100).max() <= 1
    assert np.abs(out[:, 2:].astype(int) - 50).max() <= 1


def test_a_ceiling_holds_gain_and_contrast_together() -> None:
    pixels = np.full((4, 4, 3), 100, np.uint8)
    most = np.ones((4, 4), np.float32)
    tone = np.full(256, 1.5, np.float32)
    assert lit(pixels, np.full((4, 4), 1.4), tone=tone, ceilings=(most, most)).max() <= 101


def test_haze_is_added_behind_only() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    matte = np.zeros((4, 4), np.uint8)
    matte[:, 2:] = 255
    haze = np.full((4, 4), 0.1, np.float32)
    out = lit(black, np.ones((4, 4)), haze=haze, matte=matte)
    assert out[:, :2].min() > 20
    assert out[:, 2:].max() <= 1


def test_texture_is_lit_by_its_slope() -> None:
    pixels = np.full((4, 4, 3), 100, np.uint8)
    slope = np.full((4, 4), 64, np.int8)
    raised = dataclasses.replace(surface(pixels), texture=(slope, -slope))
    plain = shading(pixels, np.ones((4, 4)))
    assert render(raised, dataclasses.replace(plain, texture=(0.4, 0.0))).min() > 110
    assert render(raised, dataclasses.replace(plain, texture=(0.0, 0.4))).max() < 90


def _lights(pixels: Bytes) -> list[tuple[str, Shading]]:
    """Two white lights, each in two colours; the names say which gains are equal."""
    table = np.linspace(0.4, 1.0, 256, dtype=np.float32)
    lights = []
    for name, gain in (("even", 0.8), ("bright", 1.7)):
        field = np.full((7, 9), gain, np.float32) * np.linspace(0.9, 1.1, 9, dtype=np.float32)
        for red in (0.9, 1.2):
            colour = np.ones((3, 7, 9), np.float32) * np.array(
                [[[red]], [[1]], [[0.8]]], np.float32
            )
            made = shading(pixels, field)
            lights.append((name, dataclasses.replace(made, colour=colour, colour_taken=table)))
    return lights


def test_what_is_kept_for_further_lights_changes_no_byte() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (1300, 300, 3), np.uint8)
    renderer = Renderer(surface(pixels))
    for name, light in _lights(pixels) * 2:
        again = np.asarray(renderer.render(light, name))
        assert np.array_equal(again, render(surface(pixels), light))
    assert set(renderer._gains) == {"even", "bright"}


def test_gains_are_kept_for_few_lights_and_from_the_second_on() -> None:
    pixels = np.full((8, 8, 3), 90, np.uint8)
    renderer = Renderer(surface(pixels))
    light = shading(pixels, np.ones((8, 8)))
    renderer.render(light, "first")
    assert not renderer._gains
    assert not renderer._limits
    for name in range(20):
        renderer.render(light, name)
    assert list(renderer._gains) == [14, 15, 16, 17, 18, 19]


def test_of_a_large_image_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "_KEPT_PIXELS", 63)
    pixels = np.full((8, 8, 3), 90, np.uint8)
    renderer = Renderer(surface(pixels))
    for name, light in _lights(pixels):
        renderer.render(light, name)
    assert not renderer._gains
    assert not renderer._limits
    assert not renderer._colours_taken


def test_what_is_kept_of_an_image_is_dropped_when_others_have_their_turn() -> None:
    pixels = np.full((8, 8, 3), 90, np.uint8)
    light = shading(pixels, np.ones((8, 8)))
    renderers = [Renderer(surface(pixels)) for _ in range(4)]
    for renderer in renderers:
        for name in "abc":
            renderer.render(light, name)
    assert [len(renderer._gains) for renderer in renderers] == [0, 0, 0, 2]
    assert [bool(renderer._limits) for renderer in renderers] == [False, False, False, True]
