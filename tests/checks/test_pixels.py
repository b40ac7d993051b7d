"""What is measured in small copies."""

from __future__ import annotations

import numpy as np
import pytest

from relightflow.checks import pixels
from tests.checks.drawn import HEIGHT, WIDTH, lit, looked_at, scene

IMAGE = scene()
SOURCE = looked_at(IMAGE)


def test_slopes_are_in_stops_over_half_a_side() -> None:
    across, down, level = pixels.light(looked_at(lit(IMAGE * 0.7, across=0.5, down=-0.25)), SOURCE)
    assert across == pytest.approx(0.5, abs=0.1)
    assert down == pytest.approx(-0.25, abs=0.1)
    assert level < 0


def test_only_the_subject_counts_where_the_input_is_transparent() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, 120:200] = 255
    cutout = looked_at(IMAGE, mask)
    painted = IMAGE.copy()
    painted[:, :120] = 0  # what is no subject may become anything
    assert abs(pixels.light(looked_at(painted), cutout)[0]) < 0.2
    assert abs(pixels.light(looked_at(painted), looked_at(IMAGE))[0]) > 1


def test_yellow_is_positive_and_grey_has_no_chroma() -> None:
    yellow, _ = pixels.colour(looked_at(lit(IMAGE, warm=0.2)), None)
    blue, _ = pixels.colour(looked_at(lit(IMAGE, warm=-0.2)), None)
    assert yellow > blue + 10
    grey = looked_at(np.repeat(IMAGE[..., :1], 3, axis=2))
    assert pixels.colour(grey, None)[1] == pytest.approx(0, abs=0.1)


def test_the_nearest_of_another_group_is_found() -> None:
    prints = np.array([[0, 0, 0], [0, 0, 3], [100, 100, 100]], np.uint8)
    distance, index = pixels.nearest(prints, np.array([0, 0, 1]))
    assert index.tolist() == [2, 2, 1]
    assert distance[0] == pytest.approx(100)
    alone, nobody = pixels.nearest(prints, np.array([0, 0, 0]))
    assert np.isinf(alone).all()
    assert nobody.tolist() == [-1, -1, -1]


def test_edges_are_the_same_in_another_light_and_not_of_another_subject() -> None:
    assert pixels.likeness(looked_at(lit(IMAGE, across=1, warm=0.2)), SOURCE) > 0.8
    assert pixels.likeness(looked_at(scene(3)), SOURCE) < 0.3


def test_an_image_without_detail_has_no_sharpness() -> None:
    flat = looked_at(np.full((HEIGHT, WIDTH, 3), 0.5))
    assert all(np.isnan(pixels.detail(flat, flat.luma.shape)))
