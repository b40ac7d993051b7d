"""Finds the sky, or another bright, smooth backdrop that reaches the image's upper edge."""

from __future__ import annotations

import numpy as np

from relightflow.backends.preview.arrays import Map, blur, ramp, resize, step
from relightflow.backends.preview.regions import closed, grown, reached

_LONGEST = 128


def find_sky(lab: Map) -> tuple[Map, float]:
    """((height, width) 0 to 1, confidence) of an image in Oklab."""
    height, width, _ = lab.shape
    scale = min(1.0, _LONGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.dstack([resize(np.ascontiguousarray(lab[:, :, c]), *size) for c in range(3)])
    if min(size) < 8:
        return np.zeros((height, width), np.float32), 0.0
    lightness = small[:, :, 0]
    squares = [_change(small[:, :, c]) ** 2 for c in range(3)]
    change = np.sqrt(squares[0] + squares[1] + squares[2])
    # clouds have edges of their own, and are bright
    smooth = (change < 0.03 + 0.06 * step(0.65, 0.85, lightness)) & (lightness > 0.28)
    sky = reached(smooth, sides=False)
    area = float(sky.mean())
    if area < 0.04 or area > 0.97:
        return np.zeros((height, width), np.float32), 0.0
    top = float(sky[: max(1, size[1] // 25)].mean())
    apart = float(lightness[sky].mean() - lightness[~sky].mean())
    sky = grown(closed(sky, 3), 1)
    confidence = (
        ramp(0.35, 0.7, top) * ramp(0.0, 0.12, apart) * ramp(0.04, 0.12, area)
        * ramp(0.97, 0.85, area)
    )  # fmt: skip
    mask = step(0.3, 0.8, blur(sky.astype(np.float32), 0.8))
    return np.clip(resize(mask, width, height), 0, 1), confidence


def _change(field: Map) -> Map:
    """The largest step to a neighbour, in a small neighbourhood."""
    padded = np.pad(field, 1, mode="edge")
    down = np.abs(padded[2:, 1:-1] - padded[:-2, 1:-1])
    right = np.abs(padded[1:-1, 2:] - padded[1:-1, :-2])
    largest: Map = np.maximum(down, right)
    return largest
