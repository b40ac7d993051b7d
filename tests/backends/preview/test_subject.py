from __future__ import annotations

from typing import Any

import numpy as np

from relightflow.backends.preview import subject
from relightflow.backends.preview.colour import linear, luminance

Bytes = np.ndarray[Any, Any]


def guess(pixels: Bytes) -> Bytes:
    return subject.mask(pixels, np.log2(luminance(linear(pixels)) + np.float32(0.02)), None)


def test_a_ball_before_a_wall_is_found(ball: Bytes) -> None:
    found = guess(ball)
    assert found[90:150, 130:190].min() > 0.9
    assert found[:20].max() < 0.1
    assert found[:, :40].max() < 0.1


def test_a_hole_in_the_subject_is_filled(ball: Bytes) -> None:
    holed = ball.copy()
    holed[105:135, 145:175] = ball[0, 0]
    assert guess(holed)[115:125, 155:165].min() > 0.9


def test_a_body_reaches_the_lower_edge(figure: Bytes) -> None:
    assert guess(figure)[-4:, 60:180].mean() > 0.8


def test_a_table_is_no_body(boxes: Bytes) -> None:
    found = guess(boxes)
    assert found[-20:].mean() < 0.2
    assert found[100:130, 125:145].mean() > 0.8


def test_without_a_subject_the_middle_stands_in(fabric: Bytes) -> None:
    found = guess(fabric)
    assert found[130:170, 130:170].mean() > found[:30].mean() + 0.3


def test_transparency_knows_better(ball: Bytes) -> None:
    alpha = np.zeros(ball.shape[:2], np.float32)
    assert subject.mask(ball, alpha, alpha) is alpha


def test_a_dark_images_subject_is_found_as_well(figure: Bytes) -> None:
    dark = (figure * 0.2).astype(np.uint8)
    assert np.abs(guess(dark) - guess(figure)).mean() < 0.1
