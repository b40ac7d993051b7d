"""What the built-in checks measure in small copies of images: light, colour, structure, borders.

Pure functions of `CheckImage`. Two images are compared on a square grid of `_GRID` points, whatever
their own sizes, so that a provider that rounds sizes costs nothing. Light is counted in stops (log2 of
linear luminance, IEC 61966-2-1), colour in CIELAB (D65), levels in steps of 255.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from relightflow.plugins.check import CheckImage

_GRID = 96
"""Points a side on which two images are compared."""
_COARSE = 16
"""Points a side on which two images are called the same: coarse, so that compression and a pixel's
shift average out, and light does not."""

Array: TypeAlias = NDArray[Any]

_FLOOR = 0.01
"""Added to linear luminance, so that noise in the dark is no light: 1 % of white."""
_HIGHLIGHT = 0.99
"""Quantile of luminance that stands for an image's exposure: what is dark there is dark everywhere."""
_SHIFT = 5
"""Points by which the subject may have moved: 5 % of a side."""
_FLAT = 2.5
"""Levels: a row that deviates less is one colour."""
_STEP = 10.0
"""Levels between a border and the image beside it."""
_STRAY = 0.03
"""Share of a row that may deviate all the same."""
_EDGE = 9
"""Pixels within which a border ends."""
_HARD = 0.4
"""Share of the whole rise that a hard edge takes within `_EDGE`; of an even fade it is a third."""
_WIDEST = 0.25
"""A border is at most this share of a side."""

_remembered = lru_cache(maxsize=64)
"""The input image is measured once for all its results, and the steps that checks share once for each.
Images are told apart by identity; nobody changes an array."""

_code = np.arange(256, dtype=np.float32) / 255
_LINEAR = np.where(_code <= 0.04045, _code / 12.92, ((_code + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]], np.float32,
).T / np.array([0.95047, 1.0, 1.08883], np.float32)  # fmt: skip


@_remembered
def square(image: CheckImage, side: int = _GRID) -> Array:
    """(side, side, 3) uint8: the image on the grid."""
    small = PIL.Image.fromarray(image.rgb)
    return np.asarray(small.resize((side, side), PIL.Image.Resampling.BOX))


@_remembered
def weights(source: CheckImage | None) -> Array:
    """(GRID, GRID) float32 of mean 1: where the subject is, if the input image is transparent."""
    flat = np.ones((_GRID, _GRID), np.float32)
    if source is None or source.alpha is None:
        return flat
    alpha = PIL.Image.fromarray(source.alpha).resize((_GRID, _GRID), PIL.Image.Resampling.BOX)
    mask: Array = np.asarray(alpha, np.float32) / 255
    mean = float(mask.mean())
    found: Array = mask / mean if mean > 0.01 else flat
    return found


@_remembered
def stops(image: CheckImage, floor: float = _FLOOR) -> Array:
    """(GRID, GRID) luminance in stops below white."""
    found: Array = np.log2(_LINEAR[square(image)] @ _LUMINANCE + floor)
    return found


def light(result: CheckImage, source: CheckImage | None) -> tuple[float, float, float]:
    """How the light changed: (to the right, to the bottom, overall) in stops.

    The first two are the slope of the change over half a side, fitted over the whole image.
    """
    change, mass = stops(result), weights(source)
    if source is not None:
        change = np.clip(change - stops(source), -5, 5)
    level = float((change * mass).mean())
    ramp = np.linspace(-1, 1, _GRID, dtype=np.float32)
    rest = (change - level) * mass
    return (
        _slope(rest.mean(axis=0), mass.mean(axis=0), ramp),
        _slope(rest.mean(axis=1), mass.mean(axis=1), ramp),
        level,
    )


def _slope(profile: Array, mass: Array, ramp: Array) -> float:
    middle = float((mass * ramp).mean())
    spread = float((mass * (ramp - middle) ** 2).mean())
    return float((profile * (ramp - middle)).mean()) / spread if spread > 1e-6 else 0.0


@_remembered
def colour(image: CheckImage, source: CheckImage | None) -> tuple[float, float]:
    """(mean b*, chroma): how yellow the image is, and how much its colours differ from one another
    (the root mean square distance of a* and b* from their means)."""
    xyz = np.clip(_LINEAR[square(image)] @ _XYZ, 1e-6, None)
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    a, b = 500 * (root[..., 0] - root[..., 1]), 200 * (root[..., 1] - root[..., 2])
    mass = weights(source)
    yellow = float((b * mass).mean())
    spread = ((a - float((a * mass).mean())) ** 2 + (b - yellow) ** 2) * mass
    return yellow, float(np.sqrt(spread.mean()))


def highlights(result: CheckImage, source: CheckImage | None) -> float:
    """How bright the brightest hundredth is, in stops against the input image, else below white."""
    here = float(np.quantile(stops(result, 0.003), _HIGHLIGHT))
    return here if source is None else here - float(np.quantile(stops(source, 0.003), _HIGHLIGHT))


def clipped(result: CheckImage, source: CheckImage | None) -> float:
    """Percent of the image that is black or white now and was not in the input image."""
    light_now = square(result).astype(np.float32) @ _LUMINANCE
    gone = (light_now <= 2) | (light_now >= 253)
    if source is not None:
        before = square(source).astype(np.float32) @ _LUMINANCE
        gone &= (before > 6) & (before < 249)
    return 100 * float((gone * weights(source)).mean())


def difference(one: CheckImage, other: CheckImage) -> float:
    """Root mean square difference in levels."""
    apart = square(one, _COARSE).astype(np.float32) - square(other, _COARSE).astype(np.float32)
    return float(np.sqrt((apart * apart).mean()))


def fingerprint(image: CheckImage) -> Array:
    """(COARSE² × 3,) uint8: enough to see whether two results are the same image."""
    return square(image, _COARSE).reshape(-1)


def nearest(prints: Array, groups: Array) -> tuple[Array, Array]:
    """Of each row of `prints` the distance in levels to the nearest row of another group, and its
    index; infinite and -1 where there is none."""
    count = len(prints)
    vectors = prints.astype(np.float32)
    lengths = (vectors * vectors).sum(axis=1)
    best, index = np.full(count, np.inf, np.float32), np.full(count, -1)
    for start in range(0, count, 512):
        rows = slice(start, start + 512)
        squares = lengths[rows, None] + lengths[None] - 2 * (vectors[rows] @ vectors.T)
        squares[groups[rows, None] == groups[None]] = np.inf
        index[rows] = squares.argmin(axis=1)
        best[rows] = np.sqrt(np.maximum(squares.min(axis=1), 0) / vectors.shape[1])
    index[np.isinf(best)] = -1
    return best, index


def likeness(result: CheckImage, source: CheckImage) -> float:
    """How far the edges of two images agree, -1 to 1: the highest normalised correlation within a
    shift of 5 %, after light and its slow changes are taken away."""
    return correlation(edges(result), edges(source))


@_remembered
def edges(image: CheckImage) -> Array:
    """(GRID, GRID) float32 of length 1: the fine structure, whatever the light."""
    detail = stops(image)
    detail = _smooth(detail, 1) - _smooth(detail, 6)
    detail = detail / (np.sqrt(_smooth(detail * detail, 8)) + 0.05)
    detail[:2] = detail[-2:] = 0
    detail[:, :2] = detail[:, -2:] = 0
    detail -= detail.mean()
    length = float(np.sqrt((detail * detail).sum()))
    return detail / length if length > 1e-6 else detail


def correlation(one: Array, other: Array) -> float:
    """The highest product of two results of `edges` within a small shift."""
    both = np.fft.irfft2(np.fft.rfft2(one) * np.conj(np.fft.rfft2(other)), s=one.shape)
    near = np.concatenate([both[: _SHIFT + 1], both[-_SHIFT:]])
    return float(max(near[:, : _SHIFT + 1].max(), near[:, -_SHIFT:].max()))


def _smooth(field: Array, radius: int) -> Array:
    """A box filter of 2 × radius + 1 points, edges repeated, twice."""
    for _ in range(2):
        for axis in (0, 1):
            width = [(radius + 1, radius) if a == axis else (0, 0) for a in (0, 1)]
            sums = np.cumsum(np.pad(field, width, "edge"), axis=axis, dtype=np.float32)
            length = field.shape[axis]
            upper = np.take(sums, np.arange(length) + 2 * radius + 1, axis=axis)
            field = (upper - np.take(sums, np.arange(length), axis=axis)) / (2 * radius + 1)
    return field


@_remembered
def detail(image: CheckImage, shape: tuple[int, int]) -> tuple[float, ...]:
    """How much of the detail at `shape` (height, width) is fine, four times over: second differences in
    brightness over a short distance, over those at a longer one. Light changes both alike, and blur
    the first; the longer pairs see a strong blur, under which the shortest is compression only. NaN
    where there is no detail."""
    luma = image.luma
    if luma.shape != shape:
        size = (shape[1], shape[0])
        luma = np.asarray(PIL.Image.fromarray(luma).resize(size, PIL.Image.Resampling.BOX))
    field = luma.astype(np.int16)
    side = min(shape)
    one, two, near, middle, wide = (
        _bends(field, max(1, lag)) for lag in (1, 2, side // 60, side // 25, side // 10)
    )
    pairs = ((one, near), (one, middle), (two, middle), (near, wide))
    return tuple(fine / coarse if coarse > 0.5 else float("nan") for fine, coarse in pairs)


def _bends(field: Array, lag: int) -> float:
    """Mean second difference in brightness over `lag` pixels, in levels; of every other line."""
    rows, columns = field[::2], field[:, ::2]
    across = rows[:, 2 * lag :] - 2 * rows[:, lag:-lag] + rows[:, : -2 * lag]
    down = columns[2 * lag :] - 2 * columns[lag:-lag] + columns[: -2 * lag]
    if not across.size or not down.size:
        return 0.0
    return float(np.abs(across).mean() + np.abs(down).mean())


@_remembered
def borders(image: CheckImage) -> tuple[float, float, float, float]:
    """How wide a border of one colour is at (left, top, right, bottom), percent of the side; 0 where
    the image goes to the edge, or fades into it."""
    luma = image.luma
    sides = (luma.T, luma, luma.T[::-1], luma[::-1])
    left, top, right, bottom = (100 * _band(side) / len(side) for side in sides)
    return left, top, right, bottom


def _band(rows: Array) -> int:
    """The number of rows from the first on that are one colour, where a hard edge follows."""
    most = int(len(rows) * _WIDEST) + 1
    start = int(np.median(rows[0]))
    apart = np.abs(rows[: most + 3 * _EDGE].astype(np.int16) - start)
    alike = (apart > _FLAT).mean(axis=1) <= _STRAY
    count = int(alike.argmin()) if not alike.all() else len(alike)
    if not 0 < count < most:
        return 0
    # an encoder blurs the edge by the width of its blocks; a vignette goes on to rise after them
    beyond = np.median(apart[count : count + 3 * _EDGE], axis=1)
    step = float(beyond[:_EDGE].max())
    return count if step >= _STEP and step >= _HARD * float(beyond.max()) else 0
