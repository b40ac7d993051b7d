"""What the preview knows of an image before any light is chosen: a guess at its shape.

A subject swells out of its background, dark lies deeper than bright, and the lower part of a
background is a floor. That is wrong in detail and right enough for light: people read the light
from its large gradients, its rims and its shadows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import PIL.Image

from relightflow.backends.preview import subject
from relightflow.backends.preview.arrays import Bytes, Map, blur, frame, guided, resize, step
from relightflow.backends.preview.colour import linear, luminance

WORK = 200_000
"""Pixels of the working size: light is smooth, so it is computed small and laid on large."""
WORK_SIDE = 2000
"""Pixels of its longer side at most: reached by strips of 20 to 1, which are squeezed. Blurs reach as
far as a part of the longer side, so a strip of few pixels would take as much as a large image."""


@dataclass(frozen=True, slots=True)
class Relief:
    """Maps at working size; (height, width) float32 unless said otherwise."""

    light: Map
    """(height, width, 3), the image in linear light."""
    bright: Map
    """Its luminance."""
    mask: Map
    """0 background to 1 subject."""
    soft: tuple[Map, Map]
    """Slopes to the right and down of the large forms: what broad light sees."""
    hard: tuple[Map, Map]
    """The same with the fine forms: what a small, hard lamp sees."""
    height: Map
    """How far each point stands out; 1 is about a twelfth of the image's longer side."""
    even: Map
    """Gain that partly takes out the light that was there."""
    centre: tuple[float, float]
    """Of the subject, -1 to 1."""
    tile: float
    """Pixels of the working size in one unit of `height`."""


def estimate(rgb: Bytes, alpha: Bytes | None = None) -> Relief:
    """The shape of an image (height, width, 3) uint8 sRGB; `alpha` (height, width), if it has one."""
    small = shrink(rgb)
    height, width, _ = small.shape
    light = linear(small)
    bright = luminance(light)
    tone = np.log2(bright + np.float32(0.02))
    cut = None if alpha is None else resize(alpha.astype(np.float32) / 255, width, height)
    mask = subject.mask(small, tone, cut)
    span = max(height, width)
    swell = _swell(mask, span)
    broad = guided(tone, tone, max(2, span // 60), 0.45)
    # a form ends where the subject does: neither bends what lies on the other side
    near, far = (_forms(broad, side, span) for side in (mask, 1 - mask))
    swollen = _slope(swell * (span / 6), 1.6)
    bumps = [a * mask + b * (1 - mask) for a, b in zip(near[1], far[1], strict=True)]
    inner = mask**3  # no bright seam on background that the mask's soft edge still covers
    soft = _add((swollen[0] * inner, swollen[1] * inner), (bumps[0], bumps[1]), 1.0)
    detail = guided(tone, tone, 2, 0.15) - near[0] * mask - far[0] * (1 - mask)
    edge = 1 - np.clip(3 * np.abs(blur(mask, span / 120) - mask), 0, 1)
    fine = _slope(detail * edge * np.float32(1.1), 0.5)
    return Relief(
        light=light,
        bright=bright,
        mask=mask,
        soft=_floor(soft, mask),
        hard=_floor(_add(soft, fine, 0.75), mask),
        height=swell + np.float32(0.10) * (broad - broad.mean()) * mask,
        even=_even(tone, mask),
        centre=_centre(mask),
        tile=span / 12,
    )


def _forms(broad: Map, side: Map, span: int) -> tuple[Map, tuple[Map, Map]]:
    """Log luminance smoothed within one side of the silhouette, and its slopes."""
    sigma = span / 70
    weight = blur(side, sigma) + np.float32(0.02)
    mean = np.float32((broad * side).sum() / (side.sum() + 1))
    smooth = blur((broad - mean) * side, sigma) / weight
    return smooth + mean, _slope(smooth * np.float32(span / 38), 0.6)


def shrink(rgb: Bytes) -> Bytes:
    """`rgb` at working size."""
    height, width, _ = rgb.shape
    scale = min(1.0, (WORK / (width * height)) ** 0.5)
    size = tuple(min(WORK_SIDE, max(1, round(side * scale))) for side in (width, height))
    if size == (width, height):
        return rgb
    return np.asarray(PIL.Image.fromarray(rgb).resize(size, PIL.Image.Resampling.BOX))


def _swell(mask: Map, span: int) -> Map:
    """The subject blown up like a cushion: steep at its edge, round inside."""
    mask = step(0.35, 0.85, mask)
    inside = np.zeros_like(mask)
    for part, share in ((36, 0.15), (18, 0.2), (9, 0.3), (5, 0.35)):
        inside += blur(mask, span / part) * np.float32(share)
    most = max(0.7, float(inside.max()))
    depth = np.clip((inside - 0.36) * np.float32(1 / (most - 0.36)), 0, 1) * mask
    round_ = np.sqrt(np.clip(1 - (1 - depth) ** 2, 0, 1))
    return blur(round_, span / 160)


def _slope(field: Map, most: float) -> tuple[Map, Map]:
    """Slopes to the right and down, bent so that none is steeper than `most`: an edge of paint
    must not look like a cliff."""
    right, down = np.empty_like(field), np.empty_like(field)
    for out, axis in ((right, 1), (down, 0)):
        padded = np.pad(field, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        after = padded[2:] if axis == 0 else padded[:, 2:]
        before = padded[:-2] if axis == 0 else padded[:, :-2]
        np.subtract(after, before, out=out)
    right *= np.float32(0.5)
    down *= np.float32(0.5)
    steep = 1 / (1 + np.sqrt(right * right + down * down) * np.float32(1 / most))
    return right * steep, down * steep


def _add(a: tuple[Map, Map], b: tuple[Map, Map], share: float) -> tuple[Map, Map]:
    return a[0] + b[0] * np.float32(share), a[1] + b[1] * np.float32(share)


def _floor(slope: tuple[Map, Map], mask: Map) -> tuple[Map, Map]:
    """The background's lower part rises towards the viewer: it looks up, as a floor does."""
    height, width = mask.shape
    _, y = frame(width, height)
    return slope[0], slope[1] + step(0.0, 1.0, y) * (1 - mask) * np.float32(0.22)


def _even(tone: Map, mask: Map) -> Map:
    """A third of the smooth slope of brightness across the image, turned round; 1 on average.

    A quadratic surface, so that it cannot make halos.
    """
    height, width = tone.shape
    x, y = (axis.ravel()[::7].astype(np.float64) for axis in frame(width, height))
    basis = np.stack((np.ones_like(x), x, y, x * x, y * y, x * y), axis=1)
    weight = (0.4 + mask.ravel()[::7])[:, None]
    found, *_ = np.linalg.lstsq(basis * weight, tone.ravel()[::7] * weight[:, 0], rcond=None)
    fx, fy = frame(width, height)
    c = np.clip(found, -1.2, 1.2).astype(np.float32)
    surface = c[1] * fx + c[2] * fy + c[3] * (fx * fx - 0.33) + c[4] * (fy * fy - 0.33)
    surface += c[5] * fx * fy
    even: Map = np.exp2(-0.35 * np.clip(surface, -2, 2)).astype(np.float32)
    return even


def _centre(mask: Map) -> tuple[float, float]:
    height, width = mask.shape
    x, y = frame(width, height)
    total = float(mask.sum()) + 1e-3 * mask.size
    return float((mask * x).sum()) / total, float((mask * y).sum()) / total
