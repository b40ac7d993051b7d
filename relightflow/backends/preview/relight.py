"""The preview as pure functions: the same image and parameters, the same pixels and bytes."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.backends.preview.arrays import Bytes
from relightflow.backends.preview.develop import develop
from relightflow.backends.preview.lamps import light
from relightflow.backends.preview.relief import Relief, estimate
from relightflow.backends.preview.style import style
from relightflow.images import Pixels, encode, flatten, load
from relightflow.model.values import Parameters


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image, decoded and understood once for all its cells."""

    pixels: Pixels
    relief: Relief


def prepare(data: bytes) -> Prepared:
    """Decode and estimate the shape. Raises `BadImage`. Blocks for some 60 ms a megapixel."""
    pixels = load(data)
    return Prepared(pixels, estimate(flatten(pixels), pixels.alpha))


def relit(prepared: Prepared, parameters: Parameters) -> bytes:
    """One cell as a file of the input's own type and size; transparency is kept."""
    pixels = prepared.pixels
    rgb = develop(pixels.rgb, light(prepared.relief, style(parameters)))
    return encode(rgb, pixels.media_type, alpha=pixels.alpha)


def render(pixels: Bytes, parameters: Parameters) -> Bytes:
    """`pixels` (height, width, 3) uint8 sRGB, relit."""
    return develop(pixels, light(estimate(pixels), style(parameters)))


def relight(data: bytes, parameters: Parameters) -> bytes:
    """An image's file, relit, as a file of the same type. Raises `BadImage`."""
    return relit(prepare(data), parameters)
