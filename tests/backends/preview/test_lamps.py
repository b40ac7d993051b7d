from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from relightflow.backends.preview.lamps import light
from relightflow.backends.preview.relief import estimate
from relightflow.backends.preview.style import style
from relightflow.model.values import FrozenMap

Bytes = np.ndarray[Any, Any]
Cell = Callable[..., FrozenMap]
Relit = Callable[[Bytes, FrozenMap], Bytes]


def test_the_sun_throws_a_shadow_away_from_itself(ball: Bytes, cell: Cell) -> None:
    """Beside the ball the wall is darker than further on, on the far side only."""
    for direction, near, far in (("left", 250, 310), ("right", 70, 10)):
        key = light(estimate(ball), style(cell(direction=direction, type="sunlight"))).key
        assert key[120:140, near].mean() < 0.8 * key[120:140, far].mean()


def test_ambient_light_throws_almost_none(ball: Bytes, cell: Cell) -> None:
    key = light(estimate(ball), style(cell(direction="left", type="ambient"))).key
    assert key[120:140, 250].mean() > 0.9 * key[120:140, 310].mean()


def test_a_pool_of_bright_light_does_not_burn_out(cell: Cell, relit: Relit) -> None:
    pale = np.full((150, 200, 3), 215, np.uint8)
    pale[50:110, 70:130] = 190
    out = relit(pale, cell(direction="top", type="spotlight", intensity="bright"))
    assert (out.min(axis=2) >= 253).mean() < 0.02


def test_light_that_was_there_is_partly_taken_out(cell: Cell, relit: Relit) -> None:
    x = np.linspace(70, 190, 240)[None, :, None]
    lit_from_the_right = np.broadcast_to(x, (160, 240, 3)).astype(np.uint8)

    def slope(pixels: Bytes) -> float:
        return float(pixels[:, 120:].mean() / pixels[:, :120].mean())

    top = relit(lit_from_the_right, cell(direction="top", type="ambient"))
    assert 1.05 < slope(top) < 0.93 * slope(lit_from_the_right)


def test_every_map_is_single_precision(image: Bytes, cell: Cell) -> None:
    for direction in ("left", "back"):
        lit = light(estimate(image), style(cell(direction=direction, type="spotlight")))
        for field in (lit.key, lit.fill, lit.haze, lit.key_colour, lit.fill_colour):
            assert field.dtype == np.float32
            assert np.isfinite(field).all()
            assert field.min() >= 0
