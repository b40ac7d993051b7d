"""Small images of every kind, made on the spot."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import PIL.Image
import pytest

Maker = Callable[..., bytes]


def gradient(width: int, height: int) -> np.ndarray[Any, Any]:
    """Red grows to the right, green to the bottom."""
    x = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    y = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return np.dstack((x, y, np.full_like(x, 90))).astype(np.uint8)


def saved(image: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.fixture
def make() -> Maker:
    """`make("PNG", width, height, mode, **options)`: the gradient as a file of that kind."""

    def maker(
        kind: str, width: int = 48, height: int = 32, mode: str = "RGB", **options: Any
    ) -> bytes:
        image = PIL.Image.fromarray(gradient(width, height)).convert(mode)
        return saved(image, kind, **options)

    return maker


@pytest.fixture
def save() -> Callable[..., bytes]:
    return saved
