"""Regions of pixels: grown, closed, filled, and reached from the image's border."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_Region: TypeAlias = NDArray[np.bool_]
"""(height, width)"""


def grown(region: _Region, radius: int) -> _Region:
    """Every pixel within `radius` steps along rows and columns, alternating with diagonals."""
    for turn in range(radius):
        out = region.copy()
        out[1:] |= region[:-1]
        out[:-1] |= region[1:]
        first = out.copy() if turn % 2 else region
        out[:, 1:] |= first[:, :-1]
        out[:, :-1] |= first[:, 1:]
        region = out
    return region


def closed(region: _Region, radius: int) -> _Region:
    """Gaps narrower than about twice `radius` closed; the image's border counts as neither."""
    wide = np.pad(region, radius, mode="edge")
    out = ~grown(~grown(wide, radius), radius)
    return out[radius:-radius, radius:-radius] if radius else out


def filled(region: _Region) -> _Region:
    """Holes filled: what cannot be reached from the left, upper or right border."""
    return ~reached(~region, sides=True)


def reached(free: _Region, *, sides: bool) -> _Region:
    """Which free pixels can be walked to over free pixels from the upper border, and with `sides`
    also from the left and right one."""
    found = np.zeros_like(free)
    found[0] = free[0]
    if sides:
        found[:, 0], found[:, -1] = free[:, 0], free[:, -1]
    for _ in range(8):  # each round walks as far as it can along columns, then along rows
        found = _walked(found.T, free.T).T
        found = _walked(found, free)
    return found


def _walked(found: _Region, free: _Region) -> _Region:
    """Spreads along each row through unbroken runs of free pixels."""
    rows, columns = free.shape
    runs = np.cumsum(~free, axis=1) + np.arange(rows)[:, None] * (columns + 1)
    touched = np.zeros(rows * (columns + 1) + columns + 1, np.bool_)
    touched[runs[found]] = True
    walked: _Region = touched[runs] & free
    return walked
