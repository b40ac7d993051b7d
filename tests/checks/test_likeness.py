"""Unchanged, twice the same, another subject."""

from __future__ import annotations

import numpy as np

from relightflow.checks.small import small
from tests.checks.drawn import as_bytes, lit, looked_at, scene, verdicts, words

IMAGE = scene()
SOURCE = looked_at(IMAGE)
LIT, WARM = looked_at(lit(IMAGE, across=-0.5)), looked_at(lit(IMAGE, warm=0.1))


def test_the_input_image_as_another_file_is_no_change() -> None:
    again = small(as_bytes(IMAGE, form="JPEG"))
    found = verdicts("changed", [({}, again), ({}, LIT)], SOURCE)
    assert words(found) == ["fail", "pass"]
    assert found[0]
    assert found[0].message == "it is the input image, unchanged"
    assert words(verdicts("changed", [({}, LIT)], None)) == ["unsure"]


def test_two_cells_need_two_images_and_repeats_do_not() -> None:
    found = verdicts("distinct", [({"a": "1"}, LIT), ({"a": "2"}, LIT)], SOURCE)
    assert words(found) == ["fail", "fail"]
    assert found[0]
    assert found[0].message == "it is the same image as the result for 2"
    again = small(as_bytes(lit(IMAGE, across=-0.5), form="JPEG"))
    assert (
        words(verdicts("distinct", [({"a": "1"}, LIT), ({"a": "2"}, again)], None)) != ["pass"] * 2
    )
    assert (
        words(verdicts("distinct", [({"a": "1"}, LIT), ({"a": "2"}, WARM)], None)) == ["pass"] * 2
    )
    assert words(verdicts("distinct", [({"a": "1"}, LIT), ({"a": "1"}, LIT)], None)) == ["-"] * 2


def test_another_subject_is_seen_in_any_light_and_size() -> None:
    other = looked_at(lit(scene(5), across=-0.5))
    small_one = looked_at(lit(IMAGE, across=0.8, warm=0.2)[::2, ::2])
    assert words(verdicts("same-subject", [({}, LIT), ({}, small_one), ({}, other)], SOURCE)) == [
        "pass", "pass", "fail",
    ]  # fmt: skip


def test_without_the_input_image_most_siblings_show_the_subject() -> None:
    dark = looked_at(lit(IMAGE, stops=-1))
    other = looked_at(scene(5))
    results = [({"n": str(n)}, image) for n, image in enumerate((LIT, WARM, dark, other))]
    assert words(verdicts("same-subject", results, None)) == ["pass", "pass", "pass", "fail"]
    assert words(verdicts("same-subject", results[:2], None)) == ["unsure"] * 2


def test_a_subject_that_moved_a_little_is_the_same() -> None:
    moved = looked_at(np.roll(lit(IMAGE, across=-0.3), 9, axis=1))
    assert words(verdicts("same-subject", [({}, moved)], SOURCE)) == ["pass"]
