from __future__ import annotations

import numpy as np

from relightflow.backends.preview.regions import closed, filled, grown, reached


def ring() -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    field = np.zeros((20, 20), np.bool_)
    field[5:15, 5:15] = True
    field[8:12, 8:12] = False
    return field


def test_growing_reaches_its_radius_and_no_further() -> None:
    point = np.zeros((9, 9), np.bool_)
    point[4, 4] = True
    out = grown(point, 2)
    assert out[4, 2]
    assert out[2, 4]
    assert not out[4, 1]


def test_closing_closes_a_gap_and_keeps_the_rest() -> None:
    field = np.zeros((20, 30), np.bool_)
    field[5:15, 5:14] = field[5:15, 16:25] = True
    out = closed(field, 2)
    assert out[10, 14]
    assert out.sum() - field.sum() <= 40


def test_a_hole_is_filled_and_a_bay_is_not() -> None:
    assert filled(ring())[10, 10]
    bay = ring()
    bay[:12, 8:12] = False
    assert not filled(bay)[10, 10]


def test_walking_goes_round_corners() -> None:
    free = np.ones((9, 9), np.bool_)
    free[2, :8] = free[5, 1:] = False
    assert reached(free, sides=False)[8, 8]
    assert not reached(ring(), sides=True)[5, 5]
