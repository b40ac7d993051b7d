from __future__ import annotations

import pytest

from relightflow.model.output_format import OutputFormat, extension, output_format
from relightflow.model.values import FrozenMap

SHA = "a" * 64


@pytest.mark.parametrize("asked", ["webp", FrozenMap({"type": "webp"})])
def test_the_short_and_the_long_word_ask_for_the_same(asked: object) -> None:
    assert output_format(FrozenMap({"format": asked})) == OutputFormat("image/webp")


def test_nothing_asked_is_nothing_changed() -> None:
    assert output_format(FrozenMap()) is None


def test_an_image_of_that_type_is_kept_unless_a_quality_is_asked_for() -> None:
    assert OutputFormat("image/jpeg").keeps("image/jpeg")
    assert not OutputFormat("image/jpeg", 80).keeps("image/jpeg")
    assert not OutputFormat("image/jpeg").keeps("image/png")


def test_what_is_kept_is_made_from_the_image_alone() -> None:
    assert OutputFormat("image/png").basis(SHA, "image/png") == SHA


def test_each_form_is_another_basis() -> None:
    forms = [
        OutputFormat("image/webp"),
        OutputFormat("image/webp", 80),
        OutputFormat("image/jpeg"),
        OutputFormat("image/png"),
    ]
    assert len({form.basis(SHA, "image/gif") for form in forms}) == len(forms)


def test_the_usual_quality_said_aloud_asks_for_the_same_copy() -> None:
    usual, said = OutputFormat("image/webp"), OutputFormat("image/webp", 90)
    assert usual.basis(SHA, "image/png") == said.basis(SHA, "image/png")


def test_an_image_of_unknown_type_has_an_extension_too() -> None:
    assert (extension("image/jpeg"), extension("image/x")) == ("jpg", "bin")
