"""Colour in numbers: sRGB to linear light and back, and the colour of a glowing body."""

from __future__ import annotations

import numpy as np

from relightflow.backends.preview.arrays import Bytes, Map

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
"""Weights of linear sRGB (IEC 61966-2-1)."""

_SRGB_FROM_XYZ = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)


def _to_linear(code: Map) -> Map:
    return np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)


LINEAR = _to_linear(np.arange(256, dtype=np.float32) / 255).astype(np.float32)
"""sRGB code → linear light, 0 to 1."""


def linear(rgb: Bytes) -> Map:
    return LINEAR[rgb]


def encode(light: Map) -> Map:
    """Linear light 0 to 1 → sRGB 0 to 1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def luminance(light: Map) -> Map:
    return light @ LUMINANCE


def black_body(kelvin: float, strength: float) -> Map:
    """(3,) gains of a light of that colour temperature, of luminance 1.

    `strength` 1 is what a camera set to daylight (6500 K) records; less is what an eye that has
    partly adapted sees. The locus is the cubic fit of Kim et al. (US patent 7024034), 1667 to 25000 K.
    """
    t = 1000 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    gains = np.maximum(_SRGB_FROM_XYZ @ np.array([x / y, 1, (1 - x - y) / y]), 0.04) ** strength
    colour: Map = (gains / (gains @ LUMINANCE)).astype(np.float32)
    return colour


_LMS_FROM_RGB = np.array(
    [[0.4122215, 0.2119035, 0.0883025], [0.5363325, 0.6806996, 0.2817188],
     [0.0514460, 0.1073970, 0.6299787]], np.float32)  # fmt: skip
_LAB_FROM_LMS = np.array(
    [[0.2104543, 1.9779985, 0.0259040], [0.7936178, -2.4285922, 0.7827718],
     [-0.0040720, 0.4505937, -0.8086758]], np.float32)  # fmt: skip


def oklab(rgb: Bytes) -> Map:
    """(…, 3) lightness, green to red, blue to yellow: Oklab (Ottosson 2020)."""
    lab: Map = np.cbrt(linear(rgb) @ _LMS_FROM_RGB) @ _LAB_FROM_LMS
    return lab
