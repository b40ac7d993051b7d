"""Masks with borders that follow the image's edges, and fade where the image has none."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import PIL.Image

from relightflow.backends.preview.arrays import Bytes, Map, blur, box, resize, step
from relightflow.backends.preview.regions import filled

_STRIP = 256


@dataclass(frozen=True, slots=True)
class SoftMask:
    """A mask, and where its border lies on an edge of the image: (height, width) each, 0 to 1."""

    mask: Map
    support: Map
    """1 where the nearest border lies on an edge, 0 where it crosses something smooth."""
    soft: Map
    """The mask with a border as wide as a seventh of the image."""
    softened: Map
    """The mask where its border has support, and the soft one elsewhere."""
    supported: float
    """Share of the border that lies on an edge."""

    @classmethod
    def of(cls, mask: Map, lab: Map) -> SoftMask:
        """`lab`: the image in Oklab at the mask's size."""
        span = max(mask.shape)
        border = _steepness(mask)
        squares = [_steepness(np.ascontiguousarray(lab[:, :, c])) ** 2 for c in range(3)]
        lies = step(0.015, 0.05, blur(np.sqrt(squares[0] + squares[1] + squares[2]), 0.8))
        tiny, around = np.float32(1e-4), span / 40
        share = (blur(border * lies, around) + tiny) / (blur(border, around) + tiny)
        support = step(0.25, 0.75, share)
        soft = np.clip(blur(mask, span / 14), 0, 1)
        supported = float((border * support).sum() / (border.sum() + tiny))
        return cls(mask, support, soft, soft + (mask - soft) * support, supported)

    def apart_from(self, ground: Map) -> SoftMask:
        """The same without what is `ground` (0 to 1), where the border has no support."""
        soft = self.soft * (1 - ground)
        return replace(self, soft=soft, softened=soft + (self.mask - soft) * self.support)


def without_holes(mask: Map) -> Map:
    """What the mask encloses is at least as certain as the weakest part around it."""
    out = mask
    for level in (0.2, 0.35, 0.5, 0.65, 0.8, 0.95):
        out = np.maximum(out, filled(mask >= level) * np.float32(level))
    return out


def matte(luma: Bytes, border: SoftMask) -> Bytes:
    """The mask at the size of `luma`, 0 to 255, with edges that follow the image's.

    A fast guided filter (He and Sun 2015): its coefficients are worked out on the small maps and
    applied to the full size.
    """
    height, width = luma.shape
    rows, columns = border.mask.shape
    guide = resize(luma.astype(np.float32) / 255, columns, rows)
    around = blur(border.mask, max(rows, columns) / 70)
    # away from the border the guide has no say: white fur before white paper is fur
    least, most = step(0.85, 1.0, around), step(0.0, 0.15, around)
    maps = (*_coefficients(guide, border.mask), border.support, border.soft, least, most)
    wide = [PIL.Image.fromarray(np.ascontiguousarray(m)) for m in maps]
    out = np.empty_like(luma)
    for top in range(0, height, _STRIP):
        part = min(_STRIP, height - top)
        cut = (0, top * rows / height, columns, (top + part) * rows / height)
        slope, offset, support, soft, lowest, highest = (
            np.asarray(m.resize((width, part), PIL.Image.Resampling.BILINEAR, cut)) for m in wide
        )
        strip = slope * (luma[top : top + part].astype(np.float32) / 255) + offset
        crisp = np.clip(step(0.15, 0.85, strip), lowest, highest)
        out[top : top + part] = np.clip(soft + (crisp - soft) * support, 0, 1) * 255
    return out


def _coefficients(guide: Map, field: Map, grain: float = 0.03) -> tuple[Map, Map]:
    """(a, b): `field` is about a × guide + b in every neighbourhood."""
    radius = max(2, round(max(guide.shape) / 70))
    mean_guide, mean_field = box(guide, radius), box(field, radius)
    variance = box(guide * guide, radius) - mean_guide * mean_guide
    together = box(guide * field, radius) - mean_guide * mean_field
    slope = together / (np.maximum(variance, 0) + np.float32(grain * grain))
    return box(slope, radius), box(mean_field - slope * mean_guide, radius)


def _steepness(field: Map) -> Map:
    padded = np.pad(field, 1, mode="edge")
    right = padded[1:-1, 2:] - padded[1:-1, :-2]
    down = padded[2:, 1:-1] - padded[:-2, 1:-1]
    steep: Map = np.hypot(right, down) * np.float32(0.5)
    return steep
