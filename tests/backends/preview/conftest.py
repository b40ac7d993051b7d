"""Small images of several kinds, and the preview's cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from relightflow.backends.preview.relight import renderer
from relightflow.model.values import FrozenMap

Bytes = np.ndarray[Any, Any]

DEFAULTS = {
    "light_direction": "left",
    "light_intensity": "medium",
    "light_temperature": "neutral",
    "light_type": "softbox",
}


def _grid(width: int, height: int) -> tuple[Bytes, Bytes]:
    x = np.linspace(-1, 1, width)[None, :].repeat(height, 0) * (width / height)
    y = np.linspace(-1, 1, height)[:, None].repeat(width, 1)
    return x, y


def ball() -> Bytes:
    """A shaded red ball on a grey wall, lit from the front."""
    x, y = _grid(320, 240)
    r = np.sqrt(x * x + y * y) / 0.6
    shade = np.sqrt(np.clip(1 - r * r, 0, 1)) * 0.7 + 0.3
    wall = np.full((240, 320, 3), 150.0)
    red = shade[:, :, None] * np.array([200, 70, 60])
    return np.where(r[:, :, None] < 1, red, wall).astype(np.uint8)


def figure() -> Bytes:
    """A head and shoulders that touch the lower edge, bright on dark."""
    x, y = _grid(240, 320)
    head = (x / 0.36) ** 2 + ((y + 0.25) / 0.45) ** 2 < 1
    body = (np.abs(x) < 0.2 + 0.9 * np.clip(y - 0.1, 0, 0.6)) & (y > 0.1)
    base = 45 + 15 * np.cos(3 * x) + 10 * y
    out = np.dstack((base, base, base * 1.1))
    out[body] = (60, 110, 120)
    out[head] = (205, 160, 135)
    return out.astype(np.uint8)


def fabric() -> Bytes:
    """A pattern from edge to edge, with no subject at all."""
    x, y = _grid(300, 300)
    weave = np.sin(40 * x) * np.sin(40 * y) * 40
    noise = np.random.default_rng(2).normal(0, 6, (300, 300))
    return np.clip(
        np.dstack((120 + weave, 110 + weave, 90 + weave)) + noise[..., None], 0, 255
    ).astype(np.uint8)


def boxes() -> Bytes:
    """Things of several colours on a light table before a dark wall."""
    x, y = _grid(400, 260)
    out = np.where(y[..., None] > 0.1, (190.0, 170.0, 140.0), (80.0, 90.0, 100.0))
    out[(np.abs(x + 0.5) < 0.25) & (np.abs(y - 0.05) < 0.45)] = (40, 60, 140)
    out[(np.abs(x - 0.45) < 0.3) & (np.abs(y - 0.2) < 0.3)] = (170, 150, 40)
    return out.astype(np.uint8)


IMAGES = {maker.__name__: maker() for maker in (ball, figure, fabric, boxes)}


@pytest.fixture(params=IMAGES)
def image(request: pytest.FixtureRequest) -> Bytes:
    """Each of the images in turn, (height, width, 3) uint8."""
    return IMAGES[request.param]


@pytest.fixture(scope="session")
def relit() -> Callable[[Bytes, FrozenMap], Bytes]:
    """`relit(pixels, cell)`: as `render`, with each image's shape estimated once."""
    known: dict[bytes, Callable[[FrozenMap], Bytes]] = {}

    def maker(pixels: Bytes, words: FrozenMap) -> Bytes:
        key = pixels.tobytes()
        if key not in known:
            known[key] = renderer(pixels)
        return known[key](words)

    return maker


@pytest.fixture
def cell() -> Callable[..., FrozenMap]:
    """`cell(direction="left", type="spotlight")`: what is not said is left, medium, neutral, softbox."""

    def maker(**words: str) -> FrozenMap:
        return FrozenMap({**DEFAULTS, **{f"light_{name}": word for name, word in words.items()}})

    return maker


@pytest.fixture(name="ball")
def _ball() -> Bytes:
    return IMAGES["ball"]


@pytest.fixture(name="figure")
def _figure() -> Bytes:
    return IMAGES["figure"]


@pytest.fixture(name="fabric")
def _fabric() -> Bytes:
    return IMAGES["fabric"]


@pytest.fixture(name="boxes")
def _boxes() -> Bytes:
    return IMAGES["boxes"]


@pytest.fixture
def small(request: pytest.FixtureRequest) -> Bytes:
    """The image named by the parameter, at a quarter of its size."""
    return np.ascontiguousarray(IMAGES[request.param][::4, ::4])
