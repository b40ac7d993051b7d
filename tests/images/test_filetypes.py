from __future__ import annotations

import pytest

from relightflow.images.filetypes import TAKEN, belongs_to_images, extension, is_image, kind, raw


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.JPG", "jpg"),
        ("photos.2024/a", ""),
        ("photos/.hidden", ""),
        ("photos/.hidden.png", "png"),
        ("a.tar.gz", "gz"),
        ("a.", ""),
        ("", ""),
    ],
)
def test_an_extension_is_after_the_last_dot_of_the_last_part(name: str, found: str) -> None:
    assert extension(name) == found


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a.xmp", "XMP"), ("a", "other"), ("a.\x1b[2J", "other"), ("a.verylongone", "other")],
)
def test_files_are_counted_by_plain_words_only(name: str, shown: str) -> None:
    assert kind(name) == shown


def test_what_is_taken_is_an_image_and_so_is_what_another_program_opens() -> None:
    assert all(is_image(f"a.{ending.upper()}") for ending in TAKEN)
    assert is_image("a.heic")
    assert is_image("a.CR2")
    for name in ("a.xmp", "a.mov"):
        assert (is_image(name), belongs_to_images(name)) == (False, True)
    for name in ("notes.txt", "jpg", "a.jpg.part"):
        assert not belongs_to_images(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.cr2", "camera raw, Canon CR2"), ("a.RAW", "camera raw, RAW"), ("a.tif", ""), ("raw", "")],
)
def test_a_raw_file_is_named_with_its_maker(name: str, words: str) -> None:
    assert raw(name) == words
