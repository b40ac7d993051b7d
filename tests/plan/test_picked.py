"""Picks choose outputs of a recipe, exactly, or say what they do not find."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import InvalidRecipe
from relightflow.model.catalog import FREE, Model, Parameter
from relightflow.model.image import Image
from relightflow.model.picks import Pick, Picks
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.values import FrozenMap
from relightflow.plan.picked import choose, find_picks

MODEL = Model(
    "m",
    (
        Parameter("light", "choice", values=("left", "right"), default="left"),
        Parameter("heat", "choice", values=("warm", "cool"), default="warm"),
    ),
    FREE,
)
RECIPE = Recipe("demo", Path("demo.yaml"), "0" * 64, (), BackendSpec("b", MODEL, FrozenMap()))
CELLS = [FrozenMap({"light": light}) for light in ("left", "right")]
WIDE = [
    FrozenMap({"light": side, "heat": heat})
    for side in ("left", "right")
    for heat in ("warm", "cool")
]


def image(name: str, digit: str) -> Image:
    return Image(name, digit * 64, 1, 8, 8, "image/png", 0, name)


IMAGES = [image("a.png", "a"), image("b.png", "b"), image("twin.png", "a")]


def picks(*entries: Pick, texts: bool = False) -> Picks:
    return Picks("p.json", "0" * 64, entries, texts)


def pick(cell: dict[str, Any], **facts: Any) -> Pick:
    return Pick(FrozenMap(cell), **{"image_name": "a.png", "where": "picks[0]", **facts})


def found(one: Pick, cells: Any = CELLS, repeat: int = 1, texts: bool = False) -> Any:
    return find_picks(
        picks(one, texts=texts),
        IMAGES,
        cells,
        RECIPE if repeat == 1 else replace(RECIPE, repeat=repeat),
    )


def said(one: Pick, cells: Any = CELLS) -> str:
    with pytest.raises(InvalidRecipe) as caught:
        found(one, cells)
    return str(caught.value)


def test_an_image_is_found_by_its_bytes_whatever_its_name() -> None:
    assert found(pick({"light": "right"}, image_sha256="b" * 64, image_name="old.png")) == [
        (1, 1, 0)
    ]


def test_of_images_with_the_same_bytes_the_name_decides() -> None:
    assert found(pick({"light": "left"}, image_sha256="a" * 64, image_name="twin.png")) == [
        (2, 0, 0)
    ]
    assert found(pick({"light": "left"}, image_sha256="a" * 64, image_name="")) == [(0, 0, 0)]


def test_an_image_whose_bytes_changed_is_not_the_one_that_was_picked() -> None:
    words = said(pick({"light": "left"}, image_sha256="c" * 64))
    assert "'a.png' has other bytes than when it was picked" in words


def test_a_default_that_the_recipe_names_by_now_is_the_same_cell() -> None:
    assert found(pick({"light": "right"}), WIDE) == [(0, 2, 0)]


def test_a_parameter_with_one_value_may_be_left_out() -> None:
    cells = [FrozenMap({"light": side, "heat": "cool"}) for side in ("left", "right")]
    assert found(pick({"light": "right"}), cells) == [(0, 1, 0)]


def test_a_pick_that_fits_several_cells_names_too_little() -> None:
    with pytest.raises(InvalidRecipe, match="2 cells have heat=cool; name the other parameters"):
        found(pick({"heat": "cool"}), WIDE, texts=True)


def test_text_from_a_table_is_the_value_that_is_written_so() -> None:
    cells = [FrozenMap({"n": 1}), FrozenMap({"n": 2.5}), FrozenMap({"n": True})]
    for place, word in enumerate(("1", "2.5", "true")):
        assert found(pick({"n": word}), cells, texts=True) == [(0, place, 0)]


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (pick({"light": "lift"}), "no cell light=lift; the nearest is light=left"),
        (pick({"light": "left"}, image_name="c.png"), "no image 'c.png' (did you mean"),
        (pick({"light": "left"}, repeat=1), "repeat 1 is not there; the recipe has repeat 0 only"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest(one: Pick, words: str) -> None:
    assert words in said(one)
    assert said(one).startswith("p.json: picks[0]: ")


def test_rejects_choose_nothing() -> None:
    assert found(pick({"light": "nowhere"}, verdict="reject")) == []


def test_only_what_was_chosen_is_left_of_the_plan() -> None:
    chosen = choose([(2, 1, 1), (0, 1, 0), (0, 3, 1)], IMAGES, WIDE, 2)
    assert [one.name for one in chosen.images] == ["a.png", "twin.png"]
    assert chosen.cells == (WIDE[1], WIDE[3])
    assert chosen.picked == ((0, 3), (1,))


def test_what_was_picked_of_a_comparison_is_found_with_its_backend_and_made_by_any_alone() -> None:
    other = BackendSpec("b", replace(MODEL, name="other"), FrozenMap(), "second")
    several = replace(RECIPE, more_backends=(other,))
    cells = [FrozenMap({"backend": b, **cell}) for b in ("b", "second") for cell in CELLS]

    def find(cell: dict[str, Any]) -> Any:
        return find_picks(picks(pick(cell)), IMAGES, cells, several)

    assert find({"backend": "second", "light": "right"}) == [(0, 3, 0)]
    with pytest.raises(InvalidRecipe, match="2 cells have light=right; name the other parameters"):
        find({"light": "right"})
    with pytest.raises(InvalidRecipe, match="no cell backend=third, light=right"):
        find({"backend": "third", "light": "right"})
    assert found(pick({"backend": "third", "light": "right"})) == [(0, 1, 0)]
