from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from relightflow.backends.preview.illumination import from_behind, from_the_front
from relightflow.backends.preview.parameters import light_setup
from relightflow.backends.preview.scene import Scene, estimate
from relightflow.images import PNG, Pixels
from relightflow.model.values import FrozenMap

Bytes = np.ndarray[Any, Any]
Cell = Callable[..., FrozenMap]


def scene(rgb: Bytes) -> Scene:
    return estimate(Pixels(rgb, None, PNG))


def beside(field: Bytes, x: float) -> float:
    """A patch at half height and a share of the width."""
    rows, columns = field.shape
    column = int(x * columns)
    return float(field[rows // 2 - 4 : rows // 2 + 4, column - 2 : column + 3].mean())


def test_the_sun_casts_a_shadow_away_from_itself(ball: Bytes, cell: Cell) -> None:
    """Beside the ball the wall is darker than without a shadow, on the far side only."""
    seen = scene(ball)
    for direction, far, near in (("left", 0.76, 0.24), ("right", 0.24, 0.76)):
        setup = light_setup(cell(direction=direction, type="sunlight"))
        behind, _, _ = from_the_front(seen, setup)
        open_, _, _ = from_the_front(replace(seen, studio=0.0), setup)
        assert beside(behind.key, far) < 0.88 * beside(open_.key, far)
        assert beside(behind.key, near) > 0.98 * beside(open_.key, near)


def test_ambient_light_casts_almost_none(ball: Bytes, cell: Cell) -> None:
    setup = light_setup(cell(direction="left", type="ambient"))
    behind, _, _ = from_the_front(scene(ball), setup)
    assert beside(behind.key, 0.76) > 0.9 * beside(behind.key, 0.96)


def test_without_a_subject_no_shadow_is_cast_and_the_light_is_smooth(
    fabric: Bytes, cell: Cell
) -> None:
    seen = scene(fabric)
    for type_ in ("sunlight", "spotlight", "softbox"):
        for direction in ("left", "top"):
            setup = light_setup(cell(direction=direction, type=type_))
            behind, before, _ = from_the_front(seen, setup)
            assert np.array_equal(behind.key, before.key)


def test_from_behind_nothing_unknown_becomes_brighter(fabric: Bytes, cell: Cell) -> None:
    for type_ in ("sunlight", "ambient"):
        behind, before, haze = from_behind(scene(fabric), light_setup(cell(type=type_)))
        assert behind.most is not None
        assert before.most is not None
        assert max(behind.most.max(), before.most.max()) <= 1.001
        assert haze is None


def test_from_behind_the_backdrop_glows_and_the_edge_catches_light(ball: Bytes, cell: Cell) -> None:
    behind, before, haze = from_behind(scene(ball), light_setup(cell(direction="back")))
    rows, columns = before.key.shape
    middle = before.key[rows // 2, columns // 2]
    assert behind.key[rows // 8, columns // 2] > 3 * middle
    assert before.key[: rows // 3, columns // 2].max() > 2 * middle
    assert haze is not None
