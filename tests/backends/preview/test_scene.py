from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from relightflow.backends.preview.scene import MAP_PIXELS, Scene, estimate
from relightflow.images import PNG, Pixels

Bytes = np.ndarray[Any, Any]


def scene(rgb: Bytes, alpha: Bytes | None = None) -> Scene:
    return estimate(Pixels(rgb, alpha, PNG))


def maps(found: Scene) -> Iterator[Bytes]:
    for field in dataclasses.fields(found):
        value = getattr(found, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, np.ndarray):
                yield item


def test_every_map_is_single_precision_and_finite(image: Bytes) -> None:
    found = list(maps(scene(image)))
    assert len(found) == 18
    for field in found:
        assert field.dtype == np.float32
        assert np.isfinite(field).all()


@pytest.mark.parametrize("level", [0, 255])
def test_an_image_of_one_colour_has_no_subject(level: int) -> None:
    found = scene(np.full((40, 50, 3), level, np.uint8))
    assert found.confidence == 0
    assert all(np.isfinite(field).all() for field in maps(found))


def test_a_ball_before_a_wall_is_a_subject_in_a_studio(ball: Bytes) -> None:
    found = scene(ball)
    assert found.confidence > 0.9
    assert found.studio > 0.9
    assert found.backdrop > 0.9


def test_a_pattern_has_no_subject_no_studio_and_no_backdrop(fabric: Bytes) -> None:
    found = scene(fabric)
    assert max(found.confidence, found.studio, found.backdrop) < 0.1


def test_things_before_a_wall_are_no_studio_when_the_background_changes(boxes: Bytes) -> None:
    """A table and a wall of different colours: cast shadows would not know where to fall."""
    assert scene(boxes).studio < 0.6


def test_the_subject_swells_towards_the_viewer(ball: Bytes) -> None:
    height = scene(ball).height
    rows, columns = height.shape
    middle, edge = height[rows // 2, columns // 2], height[rows // 2, columns // 3]
    assert middle > edge + 0.1
    assert middle > height[5, 5] + 0.5


def test_a_ball_faces_outwards(ball: Bytes) -> None:
    right, down = scene(ball).slope
    rows, columns = right.shape
    row, column = rows // 2, columns // 2
    assert right[row, columns * 105 // 320] > 0.1 > -0.1 > right[row, columns * 215 // 320]
    assert down[rows * 65 // 240, column] > 0.1 > -0.1 > down[rows * 175 // 240, column]


def test_a_large_image_is_understood_at_a_small_size(ball: Bytes) -> None:
    large = ball.repeat(3, axis=0).repeat(3, axis=1)
    found = scene(large)
    assert abs(found.bright.size / MAP_PIXELS - 1) < 0.02
    assert found.surface.subject.shape == large.shape[:2]


def test_transparency_is_the_subject(ball: Bytes) -> None:
    alpha = np.zeros(ball.shape[:2], np.uint8)
    alpha[30:200, 20:120] = 255
    found = scene(ball, alpha)
    assert found.confidence == 1
    assert np.array_equal(found.surface.subject, alpha)


def test_a_black_and_white_image_takes_less_of_a_lights_colour(ball: Bytes) -> None:
    grey = ball.mean(axis=2).astype(np.uint8)[:, :, None].repeat(3, 2)
    assert scene(grey).chroma < 0.6 < scene(ball).chroma


def test_skin_of_any_tone_is_like_skin() -> None:
    tones = [(255, 219, 195), (229, 178, 142), (198, 134, 94), (141, 85, 54), (92, 56, 36)]
    for tone in tones:
        assert scene(np.full((40, 40, 3), tone, np.uint8)).skin.min() > 0.8, tone
    for other in [(120, 120, 120), (60, 90, 200), (60, 160, 60), (230, 20, 20)]:
        assert scene(np.full((40, 40, 3), other, np.uint8)).skin.max() < 0.2, other


def test_a_sky_can_be_a_light_and_a_cups_inside_cannot() -> None:
    """A dark cup, bright inside, on patterned cloth; and the same under a sky."""
    random = np.random.default_rng(6)
    cloth = random.integers(60, 110, (200, 300, 3)).astype(np.uint8)
    cloth[60:180, 100:200] = (70, 20, 20)
    cloth[80:120, 115:185] = (230, 225, 215)
    assert scene(cloth).shining.max() < 0.2
    cloth[:60] = (150, 190, 235)
    found = scene(cloth)
    assert found.shining[: found.shining.shape[0] // 5].min() > 0.8
