from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from relightflow.backends.emulator.images import media_type, tiny, unique
from relightflow.images import decode, encode

PIXELS = np.arange(48 * 32 * 3, dtype=np.uint8).reshape(48, 32, 3)


def test_tiny_is_an_image_of_about_20_kb() -> None:
    assert 19_000 < len(tiny()) < 24_000
    assert decode(tiny()).shape == (256, 256, 3)


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png"])
def test_comment_changes_bytes_and_no_pixel(kind: Any) -> None:
    data = encode(PIXELS, kind)
    one, two = unique(data, "request 1"), unique(data, "request 2")
    assert len({data, one, two}) == 3
    assert b"request 1" in one
    assert (decode(one) == decode(data)).all()


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/webp"])
def test_media_type_is_told_by_content(kind: Any) -> None:
    assert media_type(encode(PIXELS, kind)) == kind
