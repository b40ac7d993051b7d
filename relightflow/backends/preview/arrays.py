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


def frame(width: int, height: int) -> tuple[Map, Map]:
    """(x, y) of every pixel's centre: -1 at the left and top edge, 1 at the right and bottom."""
    x = (np.arange(width, dtype=np.float32) + 0.5) * np.float32(2 / width) - 1
    y = (np.arange(height, dtype=np.float32) + 0.5) * np.float32(2 / height) - 1
    return np.broadcast_to(x, (height, width)), np.broadcast_to(y[:, None], (height, width))
