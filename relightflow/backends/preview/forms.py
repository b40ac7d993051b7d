"""Guesses at the shape of what is seen: the subject's roundness, its relief and its texture."""

from __future__ import annotations

import numpy as np
import PIL.Image
import PIL.ImageFilter
from numpy.typing import NDArray

from relightflow.backends.preview.arrays import Bytes, Map, blur, guided, largest, step


def rounded(mask: Map) -> Map:
    """The subject as a rounded form: steepest at its edge, and sloping as far as its middle."""
    span = max(mask.shape)
    mask = step(0.35, 0.85, mask)
    inside = np.zeros_like(mask)
    for part, share in ((30, 0.10), (15, 0.2), (7, 0.35), (4, 0.35)):
        inside += blur(mask, span / part) * np.float32(share)
    peak = float(inside.max())
    # what is narrow is lower, but begins at its edge as well
    most, least = max(0.7, peak), 0.36 * min(1.0, peak / 0.8)
    depth = np.clip((inside - least) * np.float32(1 / (most - least)), 0, 1) * mask
    edge = np.sqrt(np.clip(1 - (1 - depth) ** 2, 0, 1))
    return blur(np.float32(0.35) * edge + np.float32(0.65) * depth, span / 120)


def slope(field: Map, most: float) -> tuple[Map, Map]:
    """Slopes to the right and down, bent so that none is steeper than `most`."""
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


def focus(tone: Map, outside: Map | None = None) -> Map:
    """1 where fine texture tells that the image is in focus, 0 in a sky, on paper and out of focus.
    `outside`: 0 to 1; only what is there counts."""
    around = max(tone.shape) / 28
    fine = np.minimum(np.abs(tone - blur(tone, 1.0)), np.float32(0.05))
    if outside is None:
        return step(0.004, 0.016, blur(fine, around))
    # the edge of what stands before is no texture of what is behind
    outside = step(0.85, 1.0, blur(outside, 2.0))
    total = blur(outside, around)
    mean = (blur(fine * outside, around) + np.float32(1e-5)) / (total + np.float32(1e-3))
    return step(0.004, 0.016, mean)


def relief(tone: Map, focus: Map) -> tuple[Map, Map]:
    """Bright stands out: only where the image is in focus."""
    span = max(tone.shape)
    base = guided(tone, tone, max(2, span // 50), 0.12)
    form = blur(base, span / 110) - blur(base, span / 14)
    right, down = slope(form * np.float32(span / 7), 0.45)
    return right * focus, down * focus


def texture(luma: Bytes) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Slopes to the right and down of fine brightness, 127 the steepest; bent so that texture shows,
    and neither noise nor the edge of a thing does."""
    height, width = luma.shape
    radius = max(0.6, (height * width / 1e6) ** 0.5)
    blurred = PIL.ImageFilter.GaussianBlur(radius)
    tone = np.log2(np.asarray(PIL.Image.fromarray(luma).filter(blurred), np.float32) + 12)
    right, down = np.zeros(luma.shape, np.int8), np.zeros(luma.shape, np.int8)
    if width > 2:
        right[:, 1:-1] = _bent((tone[:, 2:] - tone[:, :-2]) * np.float32(radius))
    if height > 2:
        down[1:-1] = _bent((tone[2:] - tone[:-2]) * np.float32(radius))
    return right, down


def _bent(steep: Map) -> NDArray[np.int8]:
    """A slope in stops, as a code that is small for noise and small near an edge."""
    squared, size = steep * steep, np.abs(steep)
    near = largest(np.minimum(size * 100, 255).astype(np.uint8), 2).astype(np.float32)
    bent = steep / (np.float32(0.16) + size) / (1 + near * near * np.float32(5e-4))
    bent *= squared / (squared + np.float32(6e-4))
    codes: NDArray[np.int8] = np.rint(bent * 127).astype(np.int8)
    return codes
