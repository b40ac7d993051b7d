from __future__ import annotations

from typing import Any

import numpy as np

from relightflow.backends.preview.develop import develop
from relightflow.backends.preview.lamps import Lit

Bytes = np.ndarray[Any, Any]
WHITE = np.ones(3, np.float32)


def lit(key: Bytes, contrast: float = 1.0, haze: float = 0.0) -> Lit:
    key = key.astype(np.float32)
    none = np.zeros_like(key)
    return Lit(key, none, none + np.float32(haze), WHITE, WHITE, contrast, pivot=0.2)


def test_light_of_one_changes_nothing_below_the_shoulder() -> None:
    pixels = np.arange(0, 200, dtype=np.uint8)[None, :, None].repeat(8, 0).repeat(3, 2)
    out = develop(pixels, lit(np.ones((8, 200)))).astype(int)
    assert np.abs(out - pixels).max() <= 1


def test_highlights_roll_off_and_never_wrap() -> None:
    pixels = np.full((4, 64, 3), 255, np.uint8)
    out = develop(pixels, lit(np.linspace(0.1, 60, 64)[None, :].repeat(4, 0)))
    row = out[:, :, 0].astype(int).mean(axis=0)
    assert (np.diff(row) >= -1).all()
    assert row[-1] >= 254


def test_strips_leave_no_seam() -> None:
    pixels = np.full((700, 40, 3), 128, np.uint8)
    fall = np.linspace(1.5, 0.5, 50)[:, None].repeat(12, 1)
    steps = np.diff(develop(pixels, lit(fall)).astype(int).mean(axis=(1, 2)))
    assert np.abs(steps).max() < 1


def test_a_smooth_light_has_no_bands() -> None:
    """Each row of a slow gradient mixes two codes: its mean moves although its codes do not."""
    pixels = np.full((256, 400, 3), 100, np.uint8)
    fall = np.linspace(1.0, 1.1, 64)[:, None].repeat(100, 1)
    means = develop(pixels, lit(fall))[:, :, 1].mean(axis=1)
    assert len(np.unique(np.round(means, 1))) > 30


def test_contrast_turns_about_the_pivot() -> None:
    pixels = np.array([[[60] * 3, [124] * 3, [190] * 3]], np.uint8)
    dark, middle, bright = develop(pixels, lit(np.ones((1, 3)), contrast=1.4))[0, :, 0].astype(int)
    assert dark < 60 - 5
    assert abs(middle - 124) <= 2
    assert bright > 190 + 5


def test_haze_is_added() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    assert develop(black, lit(np.ones((4, 4)))).max() <= 1
    assert develop(black, lit(np.ones((4, 4)), haze=0.1)).min() > 60
