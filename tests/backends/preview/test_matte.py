from __future__ import annotations

from typing import Any

import numpy as np

from relightflow.backends.preview.arrays import resize
from relightflow.backends.preview.colour import oklab
from relightflow.backends.preview.matte import SoftMask, matte, without_holes

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


def test_what_looks_like_the_background_inside_stays_inside() -> None:
    """White fur on an animal before white paper."""
    luma, mask = half(edge=True)
    luma[100:140, 230:260] = 90
    assert matte(luma, border(luma, mask))[100:140, 230:260].min() > 235


def test_a_soft_hole_is_filled_and_a_bay_is_not() -> None:
    mask = np.zeros((40, 60), np.float32)
    mask[10:30, 10:50] = 0.97
    mask[15:25, 15:25] = 0.3
    mask[10:20, 35:40] = 0
    out = without_holes(mask)
    assert out[15:25, 15:25].min() >= 0.9
    assert np.array_equal(out[10:20, 35:40], mask[10:20, 35:40])


def test_the_softened_mask_is_the_mask_where_it_has_support() -> None:
    found = border(*half(edge=True))
    assert np.abs(found.softened - found.mask).max() < 0.05
    assert found.supported > 0.9
    assert border(*half(edge=False)).supported < 0.1
