from __future__ import annotations

from typing import Any

import pytest

from relightflow.errors import UsageError
from relightflow.model.plan import Plan, Selection
from relightflow.plan.build import build


def plan_of(make: Any, *only: tuple[str, tuple[str, ...]]) -> Plan:
    matrix = make.matrix(
        {"a": ["left", "right"], "c": [1.0, 2]}, include=({"a": "back", "c": 3, "d": "x"},)
    )
    images = [make.image(name) for name in ("shop/cup.jpg", "shop/jug.png", "cup.png")]
    return build(make.recipe(matrix), images, Selection(only=only))


def cells(plan: Plan) -> list[tuple[Any, Any]]:
    return [(cell["a"], cell["c"]) for cell in plan.cells]


def test_no_selection_keeps_all(make: Any) -> None:
    assert plan_of(make).outputs_count == 15


def test_one_value_is_kept(make: Any) -> None:
    assert cells(plan_of(make, ("a", ("left",)))) == [("left", 1), ("left", 2)]


def test_several_values_of_an_axis_are_any_of_them(make: Any) -> None:
    assert cells(plan_of(make, ("a", ("left", "back")))) == [("left", 1), ("left", 2), ("back", 3)]


def test_several_axes_must_all_fit(make: Any) -> None:
    assert cells(plan_of(make, ("a", ("left",)), ("c", ("2",)))) == [("left", 2)]


@pytest.mark.parametrize("spelling", ["1", "1.0"])
def test_a_number_is_found_in_either_spelling(make: Any, spelling: str) -> None:
    assert {c for _, c in cells(plan_of(make, ("c", (spelling,))))} == {1}


def test_a_cell_without_the_axis_is_left_out(make: Any) -> None:
    assert cells(plan_of(make, ("d", ("x",)))) == [("back", 3)]


def test_images_are_kept_by_pattern(make: Any) -> None:
    kept = plan_of(make, ("image", ("shop/*.jpg", "c*")))
    assert [image.name for image in kept.images] == ["shop/cup.jpg", "cup.png"]


@pytest.mark.parametrize(
    ("only", "words"),
    [
        (("a", ("lefd",)), "has no such value; values: left, right, back (did you mean 'left'?)"),
        (("aa", ("left",)), "has no such axis; axes: a, c, d, image (did you mean 'a'?)"),
    ],
)
def test_what_the_recipe_does_not_have_is_said(
    make: Any, only: tuple[str, tuple[str, ...]], words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        plan_of(make, only)
    assert str(caught.value).endswith(words)
