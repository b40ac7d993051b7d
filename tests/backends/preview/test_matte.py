from __future__ import annotations

from typing import Any

import numpy as np

from relightflow.backends.preview.arrays import resize
from relightflow.backends.preview.colour import oklab
from relightflow.backends.preview.matte import SoftMask, matte

Bytes = np.ndarray[Any, Any]


def half(edge: bool) -> tuple[Bytes, Bytes]:
    """(luma 240 × 320, mask 60 × 80): the right half is the subject, brighter or just the same."""
    luma = np.full((240, 320), 90, np.uint8)
    if edge:
        luma[:, 163:] = 170
    mask = np.zeros((60, 80), np.float32)
    mask[:, 40:] = 1
    return luma, mask


def border(luma: Bytes, mask: Bytes) -> SoftMask:
    small = resize(luma.astype(np.float32), mask.shape[1], mask.shape[0]).astype(np.uint8)
    return SoftMask.of(mask, oklab(small[:, :, None].repeat(3, 2)))


def test_a_border_on_an_edge_follows_the_edge_at_full_size() -> None:
    luma, mask = half(edge=True)
    out = matte(luma, border(luma, mask))
    assert out[:, :160].max() < 20
    assert out[:, 166:].min() > 235


def test_a_border_without_an_edge_fades() -> None:
    luma, mask = half(edge=False)
    out = matte(luma, border(luma, mask)).astype(int)
    assert np.abs(np.diff(out, axis=1)).max() < 16
    assert 60 < out[120, 160] < 200
    assert out[:, :40].max() < 20
    assert out[:, 280:].min() > 235


def test_the_softened_mask_is_the_mask_where_it_has_support() -> None:
    luma, mask = half(edge=True)
    assert np.abs(border(luma, mask).softened - mask).max() < 0.05
