from __future__ import annotations

from dataclasses import replace

import pytest

from relightflow.model.image import Image

IMAGE = Image(
    "a.png", "0" * 64, 10, 4, 4, "image/png", 0, "/home/me/secret/a.png", url="https://x/?sig=1"
)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.png", "a"),
        ("photos/2024/a.b.png", "a.b"),
        ("photos/.hidden", ".hidden"),
        ("a", "a"),
        ("a\\b.png", "a\\b"),
        ("..", ".."),
        ("", ""),
    ],
)
def test_the_stem_is_the_last_part_without_its_extension(name: str, stem: str) -> None:
    assert replace(IMAGE, name=name).stem == stem


def test_neither_the_place_nor_the_url_is_in_a_log_of_it() -> None:
    assert "secret" not in repr(IMAGE)
    assert "sig" not in repr(IMAGE)
