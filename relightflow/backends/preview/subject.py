"""Guesses which part of a picture is its subject: what differs from the picture's borders.

Nothing is learned and nothing is recognised: a row's background is what its two ends look like, the
whole picture's is what its top looks like, and the middle counts more than the rim.
"""

from __future__ import annotations

import numpy as np
import PIL.Image
import PIL.ImageFilter

from relightflow.backends.preview.arrays import Bytes, Map, blur, frame, guided, resize, step

_SMALL = 144
"""Longest side, in pixels, at which the guess is made."""


def mask(rgb: Bytes, guide: Map, alpha: Map | None) -> Map:
    """(height, width), 0 background to 1 subject, with edges that follow the picture's.

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
    radius = max(2, round(max(height, width) / 90))
    wide = resize(rough, width, height)
    return step(0.12, 0.88, np.clip(guided(guide, wide, radius, 0.25), 0, 1))


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
    likely = step(0.05, 0.20, apart) * (0.35 + 0.75 * centre)
    top = np.median(lab[: max(1, height // 20)].reshape(-1, 3), axis=0)
    from_top = step(0.07, 0.22, _distance(lab, top))
    return np.clip(np.maximum(likely, _shoulders(from_top)), 0, 1).astype(np.float32)


def _shoulders(from_top: Map) -> Map:
    """What is unlike the top and climbs from both lower corners towards the middle: a body.

    A table also fills the picture's foot from side to side, but its edge runs level.
    """
    height, width = from_top.shape
    differs = from_top > 0.5
    starts = np.where(differs.any(axis=0), differs.argmax(axis=0), height) / height
    edge, inner = max(1, width // 12), slice(width // 6, width // 3)
    corners = np.median(starts[:edge]), np.median(starts[-edge:])
    shoulders = np.median(starts[inner]), np.median(starts[::-1][inner])
    climbs = (
        min(corners) > 0.45 and min(c - s for c, s in zip(corners, shoulders, strict=True)) > 0.03
    )
    return from_top if climbs else np.zeros_like(from_top)


def _opponent(small: Bytes) -> Map:
    """Lightness, red-green, yellow-blue; colour counts double, as shadows change lightness only."""
    r, g, b = np.moveaxis(small.astype(np.float32) / 255, 2, 0)
    return np.stack(((r + g + b) / 3, 1.6 * (r - g), 1.0 * (r + g - 2 * b) * 0.8), axis=2)


def _distance(lab: Map, other: Map) -> Map:
    difference = lab - other
    squares: Map = (difference * difference).sum(axis=2, dtype=np.float32)
    return np.sqrt(squares)


def _close(rough: Map) -> Map:
    """Fills gaps and drops specks: a closing, then an opening."""
    picture = PIL.Image.fromarray((rough * 255).astype(np.uint8))
    for grow, size in ((True, 7), (False, 7), (False, 3), (True, 3)):
        kind = PIL.ImageFilter.MaxFilter if grow else PIL.ImageFilter.MinFilter
        picture = picture.filter(kind(size))
    return np.asarray(picture).astype(np.float32) / 255


def _settle(rough: Map) -> Map:
    """Where no subject stands out, or everything does, a soft oval in the middle stands in."""
    height, width = rough.shape
    share = float(rough.mean())
    x, y = frame(width, height)
    oval = step(1.0, 0.35, np.sqrt((x / 0.8) ** 2 + ((y - 0.1) / 0.95) ** 2)) * np.float32(0.7)
    trust = np.float32(min(1.0, share / 0.05) * min(1.0, max(0.0, 0.95 - share) / 0.25))
    return blur(rough * trust + oval * (1 - trust), 0.8)
