"""Guesses which part of an image is its subject: what differs from the image's borders.

Nothing is learned and nothing is recognised: a row's background is what its two ends look like, the
whole image's is what its top looks like, and the middle counts more than the rim.
"""

from __future__ import annotations

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from relightflow.backends.preview.arrays import Bytes, Map, blur, frame, guided, resize, step

_SMALL = 224
"""Longest side, in pixels, at which the guess is made."""


def mask(rgb: Bytes, guide: Map, alpha: Map | None) -> Map:
    """(height, width), 0 background to 1 subject, with edges that follow the image's.

    `rgb` and `guide` (log luminance) are at working size; `alpha` 0 to 1, where there is one, knows
    better than any guess.
    """
    height, width = guide.shape
    if alpha is not None:
        return alpha
    scale = min(1.0, _SMALL / max(height, width))
    size = max(3, round(width * scale)), max(3, round(height * scale))
    small = np.asarray(PIL.Image.fromarray(rgb).resize(size, PIL.Image.Resampling.BOX))
    rough = _settle(_close(_unlike_border(small)))
    radius = max(2, round(max(height, width) / 100))
    wide = resize(rough, width, height)
    return step(0.2, 0.9, np.clip(guided(guide, wide, radius, 0.2), 0, 1))


def _unlike_border(small: Bytes) -> Map:
    """How far each pixel's colour is from the border's, softly cut to 0 … 1."""
    height, width, _ = small.shape
    lab = _opponent(small)
    band = max(1, width // 20)
    left, right = np.median(lab[:, :band], axis=1), np.median(lab[:, -band:], axis=1)
    x, y = frame(width, height)
    across = ((x + 1) / 2)[:, :, None]
    rows = left[:, None] * (1 - across) + right[:, None] * across
    # an object that touches one side must not become the background of its rows
    apart = _distance(lab, rows)
    for end in (left, right):
        apart = np.minimum(apart, _distance(lab, end[:, None]))
    centre = np.exp(-0.9 * (x * x) - 0.45 * (y - 0.1) ** 2)
    likely = step(0.04, 0.15, apart) * (0.35 + 0.75 * centre)
    top = np.median(lab[: max(1, height // 20)].reshape(-1, 3), axis=0)
    from_top = step(0.07, 0.22, _distance(lab, top))
    return np.clip(np.maximum(likely, _shoulders(from_top)), 0, 1).astype(np.float32)


def _shoulders(from_top: Map) -> Map:
    """What is unlike the top and climbs from both lower corners towards the middle: a body.

    A table also fills the image's foot from side to side, but its edge runs level.
    """
    height, width = from_top.shape
    differs = from_top > 0.5
    starts = np.where(differs.any(axis=0), differs.argmax(axis=0), height) / height
    climbs = True
    for side in (starts, starts[::-1]):
        corner, arm, shoulder = (
            float(np.median(side[round(a * width) : max(round(b * width), round(a * width) + 1)]))
            for a, b in ((0.0, 0.05), (0.07, 0.13), (0.16, 0.24))
        )
        climbs &= corner > 0.45 and corner - arm > 0.008 and arm - shoulder > 0.008
    return from_top if climbs else np.zeros_like(from_top)


def _opponent(small: Bytes) -> Map:
    """Lightness, red-green, yellow-blue; colour counts double, as shadows change lightness only.

    A dark image is looked at as if it were brighter, as an eye does.
    """
    code = small.astype(np.float32) / 255
    gain = np.clip(0.8 / max(float(np.quantile(code, 0.98)), 0.01), 1, 2.5)
    r, g, b = np.moveaxis(code * np.float32(gain), 2, 0)
    return np.stack(((r + g + b) / 3, 1.6 * (r - g), 1.0 * (r + g - 2 * b) * 0.8), axis=2)


def _distance(lab: Map, other: Map) -> Map:
    difference = lab - other
    squares: Map = (difference * difference).sum(axis=2, dtype=np.float32)
    return np.sqrt(squares)


def _close(rough: Map) -> Map:
    """Fills gaps and holes, and drops specks."""
    gap, speck = max(1, max(rough.shape) // 64), max(1, max(rough.shape) // 140)
    closed = -_grown(-_grown(rough, gap), gap)
    opened = _grown(-_grown(-closed, speck), speck)
    return np.where(_reached(opened < 0.5), opened, np.maximum(opened, 0.95)).astype(np.float32)


def _grown(field: Map, radius: int) -> Map:
    """The largest value within a square of 2 × radius + 1 pixels."""
    for _ in (0, 1):
        padded = np.pad(field, ((radius, radius), (0, 0)), mode="edge")
        rows = field.shape[0]
        field = padded[:rows].copy()
        for shift in range(1, 2 * radius + 1):
            np.maximum(field, padded[shift : shift + rows], out=field)
        field = np.ascontiguousarray(field.T)
    return field


def _reached(free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which free pixels can be walked to from the left, upper or right edge over free pixels."""
    reached = np.zeros_like(free)
    reached[0], reached[:, 0], reached[:, -1] = free[0], free[:, 0], free[:, -1]
    for _ in range(6):  # each round walks as far as it can along rows, then along columns
        reached = _walked(reached, free)
        reached = _walked(reached.T, free.T).T
    return reached


def _walked(reached: NDArray[np.bool_], free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Spreads along each row through unbroken runs of free pixels."""
    rows, columns = free.shape
    walls = np.cumsum(~free, axis=1) + np.arange(rows)[:, None] * (columns + 1)
    touched = np.zeros(rows * (columns + 1) + columns + 1, np.bool_)
    touched[walls[reached]] = True
    walked: NDArray[np.bool_] = touched[walls] & free
    return walked


def _settle(rough: Map) -> Map:
    """Where no subject stands out, or everything does, a soft oval in the middle stands in."""
    height, width = rough.shape
    share = float(rough.mean())
    x, y = frame(width, height)
    oval = step(1.0, 0.35, np.sqrt((x / 0.8) ** 2 + ((y - 0.1) / 0.95) ** 2)) * np.float32(0.7)
    trust = np.float32(min(1.0, share / 0.05) * min(1.0, max(0.0, 0.95 - share) / 0.25))
    return blur(rough * trust + oval * (1 - trust), 0.8)
