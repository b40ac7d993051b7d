"""Warmth, brightness, exposure and colours."""

from __future__ import annotations

import numpy as np

from relightflow.plugins.check import CheckImage
from tests.checks.drawn import Array, lit, looked_at, scene, verdicts, words

IMAGE = scene()
SOURCE = looked_at(IMAGE)
TONES = {"cool": -0.15, "neutral": 0.0, "warm": 0.12, "sunset": 0.25}


def grey(image: Array) -> Array:
    return np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)


def warmth(**changed: Array) -> list[tuple[dict[str, str], CheckImage]]:
    return [
        ({"light_temperature": word}, looked_at(changed.get(word, lit(IMAGE, warm=shift))))
        for word, shift in TONES.items()
    ]


def test_warmer_light_makes_warmer_images() -> None:
    assert words(verdicts("warmer", warmth(), SOURCE)) == ["pass"] * 4


def test_one_result_without_its_colour_is_the_only_one_that_fails() -> None:
    found = verdicts("warmer", warmth(sunset=lit(IMAGE, warm=-0.05)), SOURCE)
    assert words(found) == ["pass", "pass", "pass", "fail"]


def test_a_pair_the_wrong_way_round_fails_as_a_pair() -> None:
    swapped = warmth(cool=lit(IMAGE, warm=0.12), warm=lit(IMAGE, warm=-0.15))
    found = words(verdicts("warmer", swapped, SOURCE))
    assert (found[0], found[2], found[3]) == ("fail", "fail", "pass")


def test_alone_the_change_of_colour_decides_and_neutral_may_move_either_way() -> None:
    for word, shift, wanted in (
        ("warm", 0.15, "pass"), ("warm", -0.15, "fail"), ("warm", 0.01, "unsure"),
        ("cool", -0.15, "pass"), ("neutral", 0.1, "-"),
    ):  # fmt: skip
        result = ({"light_temperature": word}, looked_at(lit(IMAGE, warm=shift)))
        assert words(verdicts("warmer", [result], SOURCE)) == [wanted], (word, shift)


def test_brighter_follows_the_declared_order_and_only_that() -> None:
    order = ["mood", "medium", "bright"]
    results = [
        ({"light_intensity": word}, looked_at(lit(IMAGE, stops=stops)))
        for word, stops in (("mood", -1.0), ("medium", 0.0), ("bright", 0.6), ("strong", -3.0))
    ]
    assert words(verdicts("brighter", results, SOURCE, order=order)) == ["pass"] * 3 + ["-"]
    dark = ({"light_intensity": "bright"}, looked_at(lit(IMAGE, stops=-2)))
    found = words(verdicts("brighter", [*results[:2], dark], SOURCE, order=order))
    assert found[2] == "fail"


def test_half_as_bright_as_its_siblings_is_a_failure_and_a_bit_darker_is_none() -> None:
    def three(stops: float) -> list[str]:
        results = [
            ({"light_direction": side}, looked_at(lit(IMAGE, across=across, stops=change)))
            for side, across, change in (
                ("left", -0.3, 0.0),
                ("right", 0.3, 0.0),
                ("top", 0, stops),
            )
        ]
        return words(verdicts("exposure", results, SOURCE))

    assert three(-0.3) == ["pass"] * 3
    assert three(-2.4) == ["pass", "pass", "fail"]


def test_an_axis_that_makes_images_darker_is_no_failure_of_its_values() -> None:
    results = [
        ({"light_intensity": word, "n": str(n)}, looked_at(lit(IMAGE, stops=stops)))
        for word, stops in (("mood", -2.0), ("bright", 0.3))
        for n in range(3)
    ]
    assert words(verdicts("exposure", results, SOURCE)) == ["pass"] * 6


def test_what_is_burnt_out_is_a_failure_unless_the_input_was() -> None:
    burnt = looked_at(np.ones_like(IMAGE))
    assert words(verdicts("exposure", [({}, burnt)], SOURCE)) == ["fail"]
    assert words(verdicts("exposure", [({}, burnt)], burnt)) == ["pass"]


def test_lost_colours_are_a_failure_and_a_grey_input_has_none_to_lose() -> None:
    assert words(verdicts("saturation", [({}, looked_at(grey(IMAGE)))], SOURCE)) == ["fail"]
    assert words(verdicts("saturation", [({}, looked_at(lit(IMAGE, warm=0.2)))], SOURCE)) == [
        "pass"
    ]
    plain = looked_at(grey(IMAGE))
    assert words(verdicts("saturation", [({}, plain)], plain)) == ["-"]
