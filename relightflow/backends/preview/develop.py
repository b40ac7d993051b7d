"""Lays the light on the full-size image and develops it: tone curve, sRGB, 8 bits.

Works in strips, so that a large image needs no more memory than a small one and everything stays
in the processor's cache.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from relightflow.backends.preview.arrays import Bytes, Map
from relightflow.backends.preview.colour import LINEAR, encode
from relightflow.backends.preview.lamps import Lit

_STRIP = 192
_ROOT = 4096
"""Entries of the tone table for linear light 1; indexed by the square root, so that dark steps are
as fine as the eye."""
_TOP = 4.0
"""Square root of the brightest light that is told from a brighter one."""
_KNEE = 0.68


def develop(rgb: Bytes, lit: Lit) -> Bytes:
    """The relit image: same size, (height, width, 3) uint8 sRGB."""
    height, width, _ = rgb.shape
    tones = _tones(round(lit.contrast, 3), round(lit.pivot, 3))
    out = np.empty_like(rgb)
    hazy = bool(lit.haze.any())
    sheets = [PIL.Image.fromarray(np.ascontiguousarray(m)) for m in (lit.key, lit.fill, lit.haze)]
    noise = _noise(width)
    for top in range(0, height, _STRIP):
        rows = min(_STRIP, height - top)
        key, fill = (_laid(sheet, height, width, top, rows) for sheet in sheets[:2])
        haze = _laid(sheets[2], height, width, top, rows) if hazy else None
        for c in range(3):
            gain = key * lit.key_colour[c]
            gain += fill * lit.fill_colour[c]
            gain *= LINEAR[rgb[top : top + rows, :, c]]
            if haze is not None:
                gain += haze * lit.key_colour[c]
            np.maximum(gain, 0, out=gain)
            np.sqrt(gain, out=gain)
            gain *= _ROOT
            np.minimum(gain, _ROOT * _TOP, out=gain)
            code = tones[gain.astype(np.uint16)]
            code += noise[:rows]
            code >>= 8
            out[top : top + rows, :, c] = code
    return out


def _laid(sheet: PIL.Image.Image, height: int, width: int, top: int, rows: int) -> Map:
    """Some rows of a map at working size, enlarged to the image's."""
    tall = sheet.height / height
    part = (0, top * tall, sheet.width, (top + rows) * tall)
    return np.array(sheet.resize((width, rows), PIL.Image.Resampling.BICUBIC, box=part))


@lru_cache(maxsize=64)
def _tones(contrast: float, pivot: float) -> NDArray[np.uint16]:
    """Square root of linear light → sRGB code × 256, through contrast and a filmic shoulder."""
    light = (np.arange(int(_ROOT * _TOP) + 1, dtype=np.float32) / _ROOT) ** 2
    pivot = max(pivot, 0.01)
    light = pivot * (light / pivot) ** contrast
    high = _KNEE + (1 - _KNEE) * (1 - np.exp(-(light - _KNEE) / (1 - _KNEE)))
    light = np.where(light < _KNEE, light, high)
    # 254 and a half: the noise below must not carry over the top
    return np.round(encode(light) * 254.5 * 256).astype(np.uint16)


@lru_cache(maxsize=8)
def _noise(width: int) -> NDArray[np.uint16]:
    """Less than one step of noise, always the same: smooth light would show bands without it."""
    tile = np.random.default_rng(20).integers(0, 256, (_STRIP, 251), dtype=np.uint16)
    return np.tile(tile, (1, width // 251 + 1))[:, :width]
