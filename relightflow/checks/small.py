"""The small copies that checks look at, made from an image's bytes."""

from __future__ import annotations

from relightflow.images import flatten, load
from relightflow.plugins.check import CheckImage

SIDE, DETAIL = 128, 512
"""Pixels of the long side of the copy, and of its brightness alone."""


def small(data: bytes) -> CheckImage:
    """The image as checks see it. Raises BadImage. Blocks."""
    import numpy as np
    import PIL.Image

    from relightflow.images import probe

    facts = probe(data)
    pixels = load(data, (DETAIL, DETAIL))
    detail = PIL.Image.fromarray(flatten(pixels))
    scale = min(1.0, SIDE / max(detail.size))
    size = max(1, round(detail.width * scale)), max(1, round(detail.height * scale))
    box = PIL.Image.Resampling.BOX
    alpha = None
    if pixels.alpha is not None:
        alpha = np.asarray(PIL.Image.fromarray(pixels.alpha).resize(size, box))
    return CheckImage(
        rgb=np.asarray(detail.resize(size, box)),
        luma=np.asarray(detail.convert("L")),
        alpha=alpha,
        width=facts.width,
        height=facts.height,
        media_type=facts.media_type,
        size=len(data),
    )
