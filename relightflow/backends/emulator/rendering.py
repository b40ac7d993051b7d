"""What the emulated models paint: the preview's draft of the light, or a stand-in's.

Only `render` is for others. It blocks for some tenths of a second: call it in a thread.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from relightflow.backends.preview.offer import MODEL
from relightflow.backends.preview.relight import Prepared, prepare, relit
from relightflow.images import JPEG, BadImage, encode
from relightflow.model.values import FrozenMap, Parameters

_SIDE = 384


def render(
    original: bytes | None, address: str, parameters: Parameters, media_type: str = ""
) -> bytes:
    """The relit image, as `media_type` or else as the input's own.

    `original` None: the input is out of reach, and a scene drawn from its `address` takes its place.
    """
    prepared = _prepared(original, address if original is None else "")
    if media_type:
        prepared = replace(prepared, pixels=replace(prepared.pixels, media_type=media_type))
    return relit(prepared, light(parameters))


def light(parameters: Parameters) -> Parameters:
    """The preview's four choices: as given, else the first that a prompt names, else the default."""
    prompt = str(parameters.get("prompt", "")).lower()

    def choose(name: str, values: tuple[Any, ...], default: Any) -> Any:
        given = parameters.get(name)
        return given if given in values else next((v for v in values if v in prompt), default)

    return FrozenMap({p.name: choose(p.name, p.values, p.default) for p in MODEL.parameters})


@lru_cache(maxsize=4)
def _prepared(original: bytes | None, address: str) -> Prepared:
    """Decoded once for all the cells of an image, which tend to come one after another."""
    if original is not None:
        try:
            return prepare(original)
        except BadImage:
            pass
    return prepare(stand_in(address))


def stand_in(address: str) -> bytes:
    """A ball before a wall, its colours drawn from `address`: a JPEG of 384 × 384 pixels."""
    seed = hashlib.sha256(address.encode()).digest()
    wall, ball = (np.array([*seed[n : n + 3]], float) / 255 * 0.5 + 0.35 for n in (0, 3))
    y, x = np.mgrid[-1 : 1 : _SIDE * 1j, -1 : 1 : _SIDE * 1j]
    scene = wall * (0.75 - 0.25 * y)[..., None]
    depth = np.sqrt(np.clip(0.36 - x**2 - (y - 0.15) ** 2, 0, None)) / 0.6
    inside = np.clip((0.6 - np.hypot(x, y - 0.15)) * _SIDE / 2, 0, 1)[..., None]
    scene = scene * (1 - inside) + ball * (0.45 + 0.55 * depth)[..., None] * inside
    return encode((np.clip(scene, 0, 1) * 255).astype(np.uint8), JPEG)
