"""The preview as pure functions: the same image and parameters, the same pixels and bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import numpy as np

from relightflow.backends.preview.arrays import Bytes
from relightflow.backends.preview.parameters import light_setup
from relightflow.backends.preview.rendering import Renderer
from relightflow.backends.preview.scene import estimate
from relightflow.backends.preview.shading import Shader
from relightflow.images import PNG, BadImage, Pixels, encode, load
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.values import Parameters


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image, decoded and understood once for all its cells."""

    pixels: Pixels
    shader: Shader
    renderer: Renderer


def prepare(data: bytes) -> Prepared:
    """Decode and estimate the scene. Raises `BadImage`. Blocks for some 150 ms a megapixel."""
    pixels = load(data)
    scene = estimate(pixels)
    return Prepared(pixels, Shader(scene), Renderer(scene.surface))


def relit(prepared: Prepared, parameters: Parameters) -> bytes:
    """One cell as a file of the input's own type and size; transparency is kept."""
    pixels, setup = prepared.pixels, light_setup(parameters)
    rgb = prepared.renderer.render(prepared.shader.shade(setup), setup.colourless)
    return encode(rgb, pixels.media_type, alpha=pixels.alpha)


def renderer(rgb: Bytes, alpha: Bytes | None = None) -> Callable[[Parameters], Bytes]:
    """A function that relights `rgb` (height, width, 3) uint8 sRGB, understood once."""
    scene = estimate(Pixels(rgb, alpha, PNG))
    shader, made = Shader(scene), Renderer(scene.surface)

    def relit(parameters: Parameters) -> Bytes:
        setup = light_setup(parameters)
        return np.asarray(made.render(shader.shade(setup), setup.colourless))

    return relit


def relight(data: bytes, parameters: Parameters) -> bytes:
    """An image's file, relit, as a file of the same type. Raises `BadImage`."""
    return relit(prepare(data), parameters)


def made(name: str, parameters: Parameters, data: bytes) -> bytes:
    """`relight` for a worker, which is asked for many cells of an image in a row. Raises `CallFailed`."""
    try:
        return relit(_prepared_once(data), parameters)
    except BadImage as bad:
        reason = f"{name} cannot be relit: {bad.reason}"
        raise CallFailed(Failure(FailureKind.BAD_IMAGE, reason)) from bad


_turn = Lock()


def _prepared_once(data: bytes) -> Prepared:
    """One thread prepares an image; the others wait for it, instead of doing the same."""
    with _turn:
        return _prepared(data)


_prepared = lru_cache(maxsize=2)(prepare)
"""A large image takes some hundred megabytes."""
