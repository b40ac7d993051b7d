from __future__ import annotations

from collections.abc import Mapping

from relightflow.backends.preview.offer import MODEL
from relightflow.backends.preview.parameters import DIRECTIONS, INTENSITIES, TEMPERATURES, TYPES
from relightflow.model.values import FrozenMap


def test_the_four_parameters_are_segminds() -> None:
    """As docs.segmind.com lists them for `segmind-relighting`: values, order and defaults."""
    assert {p.name: (p.values, p.default) for p in MODEL.parameters} == {
        "light_direction": (("left", "right", "top", "back"), "top"),
        "light_intensity": (("mood", "bright", "medium", "strong"), "medium"),
        "light_temperature": (("warm", "cool", "neutral", "sunset"), "neutral"),
        "light_type": (("softbox", "sunlight", "spotlight", "ambient"), "ambient"),
    }


def test_it_is_free() -> None:
    assert MODEL.price is not None
    assert MODEL.price.free


def test_every_word_has_its_numbers() -> None:
    tables: tuple[Mapping[str, object], ...] = (DIRECTIONS, INTENSITIES, TEMPERATURES, TYPES)
    for parameter, table in zip(MODEL.parameters, tables, strict=True):
        assert set(parameter.values) == set(table)


def test_a_cell_without_words_gets_the_defaults() -> None:
    assert MODEL.normalise(FrozenMap())["light_direction"] == "top"
