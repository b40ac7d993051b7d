"""Siblings say where the light comes from."""

from __future__ import annotations

from tests.checks.drawn import lit, looked_at, scene, verdicts, words

IMAGE = scene()
SOURCE = looked_at(IMAGE)
LEFT, RIGHT = looked_at(lit(IMAGE, across=-0.6)), looked_at(lit(IMAGE, across=0.6))
TOP, BACK = looked_at(lit(IMAGE, down=-0.6)), looked_at(lit(IMAGE, stops=-1))


def cells(*sides: str, **others: str) -> list[dict[str, str]]:
    return [{"light_direction": side, **others} for side in sides]


def test_sound_results_pass_and_light_from_behind_has_no_side() -> None:
    results = list(
        zip(cells("left", "right", "top", "back"), (LEFT, RIGHT, TOP, BACK), strict=True)
    )
    assert words(verdicts("direction", results, SOURCE)) == ["pass", "pass", "pass", "-"]


def test_left_and_right_swapped_both_fail_and_the_others_do_not() -> None:
    results = list(zip(cells("left", "right", "top"), (RIGHT, LEFT, TOP), strict=True))
    found = verdicts("direction", results, SOURCE)
    assert words(found) == ["fail", "fail", "pass"]
    assert found[0]
    assert "less from the left" in found[0].message
    assert found[0].unit == "stops"


def test_an_image_that_leans_to_one_side_itself_is_no_evidence() -> None:
    leaning = [looked_at(lit(IMAGE, across=0.8 + side)) for side in (-0.3, 0.3)]
    results = list(zip(cells("left", "right"), leaning, strict=True))
    assert words(verdicts("direction", results, SOURCE)) == ["pass", "pass"]


def test_the_same_image_twice_is_unsure() -> None:
    results = list(zip(cells("left", "right"), (LEFT, LEFT), strict=True))
    assert words(verdicts("direction", results, SOURCE)) == ["unsure", "unsure"]


def test_only_cells_that_differ_in_nothing_else_are_compared() -> None:
    warm, cool = cells("left", "right", t="warm"), cells("left", "right", t="cool")
    results = list(zip(warm + cool, (LEFT, RIGHT, RIGHT, LEFT), strict=True))
    assert words(verdicts("direction", results, SOURCE)) == ["pass", "pass", "fail", "fail"]


def test_where_no_two_differ_in_the_side_alone_the_others_stand_in() -> None:
    picked = [{"light_direction": "left", "t": "a"}, {"light_direction": "right", "t": "b"}]
    assert words(verdicts("direction", list(zip(picked, (LEFT, RIGHT), strict=True)), SOURCE)) == [
        "pass",
        "pass",
    ]
    assert words(verdicts("direction", list(zip(picked, (RIGHT, LEFT), strict=True)), SOURCE)) == [
        "fail",
        "fail",
    ]


def test_without_siblings_the_input_image_is_the_measure_and_weak_evidence_is_unsure() -> None:
    weak = looked_at(lit(IMAGE, across=-0.1))
    wrong = looked_at(lit(IMAGE, across=1.2))
    for result, wanted in ((LEFT, "pass"), (weak, "unsure"), (wrong, "fail")):
        assert words(verdicts("direction", [(cells("left")[0], result)], SOURCE)) == [wanted]
    assert words(verdicts("direction", [(cells("left")[0], LEFT)], None)) == ["unsure"]


def test_siblings_are_enough_without_the_input_image() -> None:
    results = list(zip(cells("left", "right"), (LEFT, RIGHT), strict=True))
    assert words(verdicts("direction", results, None)) == ["pass", "pass"]


def test_other_words_and_another_axis() -> None:
    named = [{"licht": "links"}, {"licht": "rechts"}]
    results = list(zip(named, (LEFT, RIGHT), strict=True))
    options = {"axis": "licht", "values": {"links": "left", "rechts": "right"}}
    assert words(verdicts("direction", results, SOURCE, **options)) == ["pass", "pass"]
    assert words(verdicts("direction", results, SOURCE)) == ["-", "-"]
