from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from relightflow.backends.preview.relief import WORK, Relief, estimate

Bytes = np.ndarray[Any, Any]


def maps(relief: Relief) -> list[Bytes]:
    values = (getattr(relief, field.name) for field in dataclasses.fields(relief))
    nested = (v if isinstance(v, tuple) else (v,) for v in values)
    return [v for group in nested for v in group if isinstance(v, np.ndarray)]


def test_every_map_is_single_precision_and_finite(image: Bytes) -> None:
    found = maps(estimate(image))
    assert len(found) == 9
    for field in found:
        assert field.dtype == np.float32
        assert np.isfinite(field).all()


@pytest.mark.parametrize("level", [0, 255])
def test_an_image_of_one_colour_has_a_shape_as_well(level: int) -> None:
    for field in maps(estimate(np.full((40, 50, 3), level, np.uint8))):
        assert np.isfinite(field).all()


def test_the_subject_swells_towards_the_viewer(ball: Bytes) -> None:
    height = estimate(ball).height
    assert height[120, 160] > height[120, 100] + 0.1
    assert height[120, 160] > height[10, 10] + 0.5


def test_a_ball_faces_outwards(ball: Bytes) -> None:
    right, down = estimate(ball).soft
    assert right[120, 105] > 0.1 > -0.1 > right[120, 215], "it rises to the right on its left side"
    assert down[65, 160] > 0.1 > -0.1 > down[175, 160]


def test_a_large_image_is_understood_at_working_size(ball: Bytes) -> None:
    large = ball.repeat(6, axis=0).repeat(6, axis=1)
    assert abs(estimate(large).mask.size / WORK - 1) < 0.01
