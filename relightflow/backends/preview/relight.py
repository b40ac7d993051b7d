"""The preview as pure functions: the same image and parameters, the same pixels and bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relightflow.backends.preview.arrays import Bytes
from relightflow.backends.preview.parameters import light_setup
from relightflow.backends.preview.rendering import render
from relightflow.backends.preview.scene import Scene, estimate
from relightflow.backends.preview.shading import shade
from relightflow.images import PNG, Pixels, encode, load
from relightflow.model.values import Parameters


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image, decoded and understood once for all its cells."""

    pixels: Pixels
    scene: Scene


def prepare(data: bytes) -> Prepared:
    """Decode and estimate the scene. Raises `BadImage`. Blocks for some 150 ms a megapixel."""
    pixels = load(data)
    return Prepared(pixels, estimate(pixels))


def relit(prepared: Prepared, parameters: Parameters) -> bytes:
    """One cell as a file of the input's own type and size; transparency is kept."""
    pixels, scene = prepared.pixels, prepared.scene
    rgb = render(scene.surface, shade(scene, light_setup(parameters)))
    return encode(rgb, pixels.media_type, alpha=pixels.alpha)


def renderer(rgb: Bytes, alpha: Bytes | None = None) -> Callable[[Parameters], Bytes]:
    """A function that relights `rgb` (height, width, 3) uint8 sRGB, understood once."""
    scene = estimate(Pixels(rgb, alpha, PNG))
    return lambda parameters: render(scene.surface, shade(scene, light_setup(parameters)))


def relight(data: bytes, parameters: Parameters) -> bytes:
    """An image's file, relit, as a file of the same type. Raises `BadImage`."""
    return relit(prepare(data), parameters)
