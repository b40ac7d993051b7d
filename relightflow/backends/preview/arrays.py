"""Small numeric tools on (height, width) float32 maps: resizing, blurs, steps."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import PIL.Image
from numpy.typing import NDArray

Map: TypeAlias = NDArray[Any]
"""float32 (height, width), or (height, width, 3) where a colour is meant. A test holds the type:
numpy's stubs lose it at every product with a Python number."""
Bytes: TypeAlias = NDArray[np.uint8]

_CORNER = 0.12
"""How wide the corner of `roll_off` is, in squares of brightness."""
_CUBIC = PIL.Image.Resampling.BICUBIC
_BOX = PIL.Image.Resampling.BOX


def resize(field: Map, width: int, height: int) -> Map:
    """`field` at another size: averaged when it shrinks, smooth when it grows."""
    if field.shape == (height, width):
        return field
    shrinks = width * height < field.size
    image = PIL.Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(image.resize((width, height), _BOX if shrinks else _CUBIC))


def blur(field: Map, sigma: float) -> Map:
    """Gaussian-like blur of `sigma` pixels: three box filters, edges repeated."""
    radius = max(1, round(sigma * 0.93))
    out = field
    if radius > 6:  # a wide blur holds no detail, so it is made on a smaller map
        height, width = field.shape
        share = 3.0 / radius
        small = resize(field, max(2, round(width * share)), max(2, round(height * share)))
        return resize(blur(small, sigma * share), width, height)
    for _ in range(3):
        out = box(out, radius)
    return out


def box(field: Map, radius: int) -> Map:
    """Mean over a square of 2 × radius + 1 pixels, edges repeated."""
    return _box_rows(_box_rows(field, radius).T, radius).T


def _box_rows(field: Map, radius: int) -> Map:
    size = 2 * radius + 1
    padded = np.pad(field, ((radius + 1, radius), (0, 0)), mode="edge")
    padded[0] = 0
    # float32 sums of some hundred rows keep five digits: enough for light
    sums = np.cumsum(padded, axis=0, dtype=np.float32)
    return (sums[size:] - sums[:-size]) * np.float32(1 / size)


def largest(field: Bytes, radius: int) -> Bytes:
    """The largest value within a square of 2 × radius + 1 pixels, edges repeated."""
    for axis in (0, 1):
        padded = np.pad(field, [(radius, radius) if a == axis else (0, 0) for a in (0, 1)], "edge")
        size = field.shape[axis]
        field = padded[:size].copy() if axis == 0 else padded[:, :size].copy()
        for shift in range(1, 2 * radius + 1):
            part = slice(shift, shift + size)
            np.maximum(field, padded[part] if axis == 0 else padded[:, part], out=field)
    return field


def guided(guide: Map, field: Map, radius: int, grain: float) -> Map:
    """`field`, smoothed except where `guide` has an edge that is higher than `grain`.

    The guided filter of He, Sun and Tang (2010): locally, the result is a × guide + b.
    """
    mean_guide, mean_field = box(guide, radius), box(field, radius)
    variance = box(guide * guide, radius) - mean_guide * mean_guide
    together = box(guide * field, radius) - mean_guide * mean_field
    slope = together / (np.maximum(variance, 0) + np.float32(grain * grain))
    return box(slope, radius) * guide + box(mean_field - slope * mean_guide, radius)


def step(low: float, high: float, field: Map) -> Map:
    """0 below `low`, 1 above `high`, smooth between; falls where low is above high."""
    t = np.clip((field - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    smooth: Map = t * t * (3 - 2 * t)
    return smooth


def ramp(low: float, high: float, value: float) -> float:
    """0 at `low`, 1 at `high`, straight between; falls where low is above high."""
    return float(np.clip((value - low) / (high - low), 0, 1))


def roll_off(before: Map, after: Map, white: float = 1.0) -> Map:
    """`after`, bent so that what was not clipped before is not clipped by more light.

    Coded brightness of 0 to `white`. Dark parts keep their gain; what is white stays white, but for
    a smooth corner: after / sqrt(1 + max(0, after² - before²)).
    """
    return rolled_off(
        after, roll_off_limits(before, white), white, np.empty((2, *after.shape), np.float32)
    )


def roll_off_limits(before: Map, white: float) -> tuple[Map, Map]:
    """What `rolled_off` needs of the brightness before."""
    squared = before * before
    corner = squared * squared
    corner *= np.float32(_CORNER / white**4)
    corner *= corner
    return squared, corner


def rolled_off(after: Map, limits: tuple[Map, Map], white: float, spare: Map) -> Map:
    """As `roll_off`, without allocating: the result is the first part of `spare` (2, height, width)."""
    squared, corner = limits
    grown, other = spare
    np.multiply(after, after, out=grown)
    grown -= squared
    grown *= np.float32(1 / white**2)
    # a smooth maximum near white: all of a white background would turn at once
    np.multiply(grown, grown, out=other)  # np.hypot takes ten times as long
    other += corner
    np.sqrt(other, out=other)
    grown += other
    grown *= np.float32(0.5)
    grown += 1
    np.sqrt(grown, out=grown)
    bent: Map = np.divide(after, grown, out=grown)
    return bent


def frame(width: int, height: int) -> tuple[Map, Map]:
    """(x, y) of every pixel's centre: -1 at the left and top edge, 1 at the right and bottom."""
    x = (np.arange(width, dtype=np.float32) + 0.5) * np.float32(2 / width) - 1
    y = (np.arange(height, dtype=np.float32) + 0.5) * np.float32(2 / height) - 1
    return np.broadcast_to(x, (height, width)), np.broadcast_to(y[:, None], (height, width))
