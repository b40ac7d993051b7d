from __future__ import annotations

import numpy as np

from relightflow.backends.preview.forms import focus, relief, rounded, slope, texture


def test_a_rounded_form_is_highest_inside() -> None:
    mask = np.zeros((60, 60), np.float32)
    mask[15:45, 15:45] = 1
    height = rounded(mask)
    assert height[30, 30] > 0.9
    assert 0.05 < height[30, 16] < height[30, 20] < height[30, 30]
    assert height[5, 5] < 0.05


def test_no_slope_is_steeper_than_the_limit() -> None:
    field = np.zeros((20, 20), np.float32)
    field[:, 10:] = 100
    right, down = slope(field, 0.5)
    assert 0.45 < right.max() <= 0.5
    assert np.abs(down).max() == 0


def test_what_is_out_of_focus_has_no_relief() -> None:
    """A blurred disc of light, as behind every portrait: no contour is drawn into it."""
    x, y = np.meshgrid(np.linspace(-1, 1, 120), np.linspace(-1, 1, 90))
    disc = (0.3 + 0.4 / (1 + np.exp((np.hypot(x, y) - 0.4) * 12))).astype(np.float32)
    assert max(np.abs(part).max() for part in relief(disc, focus(disc))) < 0.01
    rough = disc + np.random.default_rng(1).normal(0, 0.03, disc.shape).astype(np.float32)
    assert max(np.abs(part).max() for part in relief(rough, focus(rough))) > 0.05


def test_the_edge_of_what_stands_before_is_no_texture_of_what_is_behind() -> None:
    tone = np.full((90, 120), 0.8, np.float32)
    tone[40:, 40:80] = np.random.default_rng(3).uniform(0.1, 0.4, (50, 40)).astype(np.float32)
    outside = np.ones_like(tone)
    outside[40:, 40:80] = 0
    assert focus(tone)[36, 60] > 0.5
    assert focus(tone, outside)[36, 60] < 0.1


def test_texture_shows_and_noise_and_edges_do_not() -> None:
    x = np.arange(400)
    weave = (120 + 14 * np.sin(x / 2.5))[None].repeat(300, 0)
    right, down = texture(weave.astype(np.uint8))
    assert np.abs(right).max() > 30
    assert np.abs(down).max() <= 1
    noise = np.random.default_rng(2).normal(120, 1.0, (300, 400))
    assert np.abs(texture(noise.astype(np.uint8))[0]).mean() < 3
    edge = np.full((300, 400), 40, np.uint8)
    edge[:, 200:] = 210
    assert np.abs(texture(edge)[0]).max() < 30


def test_a_single_row_or_column_has_no_texture() -> None:
    for shape in ((1, 9), (9, 1), (1, 1)):
        right, down = texture(np.zeros(shape, np.uint8))
        assert right.shape == down.shape == shape
