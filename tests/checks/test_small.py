"""Small copies: their sizes, and the facts of the image itself."""

from __future__ import annotations

import numpy as np
import pytest

from relightflow.checks.small import small
from relightflow.images import BadImage
from tests.checks.drawn import as_bytes


def test_a_large_image_is_made_small_and_a_small_one_is_not_made_larger() -> None:
    data = as_bytes(np.full((900, 1200, 3), 0.5))
    found = small(data)
    assert (found.rgb.shape, found.luma.shape) == ((96, 128, 3), (384, 512))
    assert (found.width, found.height, found.size) == (1200, 900, len(data))
    tiny = small(as_bytes(np.full((3, 1, 3), 0.5)))
    assert (tiny.rgb.shape, tiny.luma.shape, tiny.alpha) == ((3, 1, 3), (3, 1), None)


def test_transparency_is_kept_apart_and_laid_on_white() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[:, 32:] = 255
    found = small(as_bytes(np.zeros((64, 64, 3)), mask))
    assert found.alpha is not None
    assert (found.alpha[0, 0], found.alpha[0, 63]) == (0, 255)
    assert (found.rgb[0, 0, 0], found.rgb[0, 63, 0]) == (255, 0)


def test_what_is_no_image_is_said_so() -> None:
    with pytest.raises(BadImage):
        small(b"no image")
