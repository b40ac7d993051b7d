from __future__ import annotations

import numpy as np
import pytest

from relightflow.backends.preview.arrays import (
    blur,
    box,
    frame,
    guided,
    largest,
    ramp,
    resize,
    roll_off,
    step,
)

RANDOM = np.random.default_rng(7).random((60, 90), np.float32)


@pytest.mark.parametrize("sigma", [0.5, 3, 12, 40])
def test_a_blur_keeps_the_level_and_calms_the_rest(sigma: float) -> None:
    level = np.full((60, 90), 0.3, np.float32)
    assert np.allclose(blur(level, sigma), 0.3, atol=1e-4)
    assert blur(RANDOM, sigma).std() < RANDOM.std() / 2
    assert blur(RANDOM, sigma).shape == RANDOM.shape


def test_a_box_is_the_mean_of_its_square() -> None:
    assert box(RANDOM, 2)[30, 40] == pytest.approx(RANDOM[28:33, 38:43].mean(), abs=1e-5)


def test_a_guided_filter_keeps_the_guides_edge_and_drops_noise() -> None:
    guide = np.zeros((60, 90), np.float32)
    guide[:, 45:] = 1
    smooth = guided(guide, guide + 0.2 * (RANDOM - 0.5), 4, 0.1)
    assert smooth[:, 46:].mean() - smooth[:, :44].mean() > 0.9
    assert smooth[:, 5:35].std() < 0.02


def test_resizing_to_the_same_size_is_free() -> None:
    assert resize(RANDOM, 90, 60) is RANDOM
    assert resize(RANDOM, 9, 6).mean() == pytest.approx(RANDOM.mean(), abs=1e-4)


def test_steps_rise_and_fall() -> None:
    x = np.array([[0.0, 0.5, 1.0]], np.float32)
    assert step(0.2, 0.8, x).tolist() == [[0, 0.5, 1]]
    assert step(0.8, 0.2, x).tolist() == [[1, 0.5, 0]]


def test_the_frame_is_centred() -> None:
    x, y = frame(4, 2)
    assert x[0].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert y[:, 0].tolist() == [-0.5, 0.5]


def test_the_largest_neighbour_is_taken() -> None:
    field = np.zeros((9, 9), np.uint8)
    field[4, 4] = 7
    out = largest(field, 2)
    assert out[2:7, 2:7].min() == 7
    assert out.sum() == 7 * 25


def test_a_ramp_is_straight_between_its_ends() -> None:
    assert [ramp(1, 3, v) for v in (0, 1, 2, 3, 9)] == [0, 0, 0.5, 1, 1]
    assert ramp(3, 1, 1.5) == 0.75


def test_more_light_never_makes_white_what_was_not() -> None:
    before = np.linspace(0, 0.96, 97, dtype=np.float32)
    for gain in (0.5, 1.0, 1.3, 2.0):
        after = roll_off(before, before * np.float32(gain))
        assert (np.diff(after) > 0).all()
        assert after.max() < 0.995
    assert np.allclose(roll_off(before, before)[:60], before[:60], atol=0.01)
