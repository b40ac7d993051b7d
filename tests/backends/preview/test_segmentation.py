from __future__ import annotations

from typing import Any

import numpy as np

from relightflow.backends.preview.segmentation import segment

Bytes = np.ndarray[Any, Any]


def at(mask: Bytes, x: float, y: float) -> float:
    """The mask at a point, given as shares of the width and height."""
    height, width = mask.shape
    return float(mask[int(y * height), int(x * width)])


def test_a_ball_before_a_wall_is_found(ball: Bytes) -> None:
    found = segment(ball)
    assert at(found.mask, 0.5, 0.5) > 0.9
    assert at(found.mask, 0.1, 0.5) < 0.1
    assert found.confidence > 0.9


def test_a_hole_in_the_subject_is_filled(ball: Bytes) -> None:
    holed = ball.copy()
    holed[105:135, 145:175] = ball[0, 0]
    assert at(segment(holed).mask, 0.5, 0.5) > 0.9


def test_a_body_reaches_the_lower_edge(figure: Bytes) -> None:
    found = segment(figure)
    assert at(found.mask, 0.5, 0.99) > 0.8
    assert found.confidence > 0.5


def test_noise_has_no_subject() -> None:
    noise = np.random.default_rng(6).integers(0, 255, (200, 240, 3), dtype=np.uint8)
    assert segment(noise).confidence < 0.1


def test_a_smooth_gradient_has_no_subject() -> None:
    x = np.linspace(60, 200, 240)[None, :, None]
    assert segment(np.broadcast_to(x, (160, 240, 3)).astype(np.uint8)).confidence < 0.2


def test_specks_are_no_subject() -> None:
    """Stars are apart from the sky, and nothing that could be lit as one form."""
    night = np.zeros((240, 320, 3), np.uint8)
    random = np.random.default_rng(9)
    night[random.integers(0, 240, 300), random.integers(0, 320, 300)] = 255
    assert segment(night).confidence < 0.1


def test_a_dark_images_subject_is_found_as_well(figure: Bytes) -> None:
    dark = (figure * 0.3).astype(np.uint8)
    assert np.abs(segment(dark).mask - segment(figure).mask).mean() < 0.1


def test_a_tiny_image_has_no_subject() -> None:
    assert segment(np.zeros((3, 5, 3), np.uint8)).confidence == 0
