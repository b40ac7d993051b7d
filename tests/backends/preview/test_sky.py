from __future__ import annotations

from typing import Any

import numpy as np

from relightflow.backends.preview.colour import oklab
from relightflow.backends.preview.sky import find_sky

Bytes = np.ndarray[Any, Any]


def landscape() -> Bytes:
    """A bright sky that pales towards a rough, dark ground."""
    y = np.linspace(0, 1, 160)[:, None, None].repeat(240, 1)
    out = np.concatenate((120 + 100 * y, 160 + 60 * y, 225 - 10 * y), axis=2)
    rough = np.random.default_rng(3).integers(20, 90, (70, 240, 1))
    out[90:] = rough
    return out.astype(np.uint8)


def test_a_sky_over_a_dark_ground_is_found() -> None:
    mask, confidence = find_sky(oklab(landscape()))
    assert confidence > 0.9
    assert mask[:80].min() > 0.9
    assert mask[100:].max() < 0.1


def test_an_even_wall_all_over_is_no_sky() -> None:
    _, confidence = find_sky(oklab(np.full((100, 140, 3), 200, np.uint8)))
    assert confidence == 0


def test_a_night_is_no_sky() -> None:
    _, confidence = find_sky(oklab((landscape() * 0.08).astype(np.uint8)))
    assert confidence == 0


def test_a_dark_ceiling_over_bright_things_is_no_sky() -> None:
    _, confidence = find_sky(oklab(255 - landscape()))
    assert confidence == 0


def test_a_pattern_is_no_sky(fabric: Bytes) -> None:
    _, confidence = find_sky(oklab(fabric))
    assert confidence == 0
