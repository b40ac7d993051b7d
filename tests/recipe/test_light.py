"""`on_unsupported`: light that a model cannot do, or only nearly."""

from __future__ import annotations

import pytest

from relightflow.errors import InvalidRecipe
from relightflow.model.values import FrozenMap
from relightflow.plan.build import expand
from relightflow.plan.distinct import repeated_cells
from relightflow.plugins.registry import Registry, load
from relightflow.recipe import load_text

HEAD = """\
version: 1
name: example
sources: [{type: glob, include: ["*.jpg"]}]
sinks: [{type: directory, path: out/}]
"""
FIBO = "backend: {type: fal, model: bria/fibo-edit/relight}\n"
APPS = "backend: {type: fal, model: fal-ai/image-apps-v2/relighting}\n"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load(found=lambda: ())


def told(text: str, registry: Registry) -> list[str]:
    with pytest.raises(InvalidRecipe) as caught:
        load_text(HEAD + text, registry)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def test_what_has_no_equal_is_an_error_that_names_the_nearest(registry: Registry) -> None:
    left, back = told(FIBO + "matrix: {light_direction: [left, top, back]}", registry)
    assert left == (
        "matrix.light_direction[0]: 'left': bria/fibo-edit/relight has nothing that is the same; the "
        "nearest is light_direction 'side'. Send that with on_unsupported: near, or leave such cells "
        "out with on_unsupported: skip"
    )
    assert "[2]: 'back': bria/fibo-edit/relight cannot do it; it can do left (nearly)" in back


def test_the_nearest_is_sent_where_the_recipe_says_so(registry: Registry) -> None:
    text = FIBO + "on_unsupported: near\nmatrix: {light_direction: [left, right, top]}"
    recipe = load_text(HEAD + text, registry)
    assert [line.partition("light_direction")[2] for line in recipe.warnings] == [
        "[0]: 'left': sent as light_direction 'side', the nearest that bria/fibo-edit/relight has",
        "[1]: 'right': sent as light_direction 'side', the nearest that bria/fibo-edit/relight has",
    ]
    cells = expand(recipe).cells
    sent = [recipe.backend.model.normalise(cell)["light_direction"] for cell in cells]
    assert sent == ["side", "side", "top-down"]
    assert repeated_cells(cells, recipe) == {1}, "bought once"


def test_what_cannot_be_done_at_all_is_an_error_also_then(registry: Registry) -> None:
    (back,) = told(FIBO + "on_unsupported: near\nmatrix: {light_direction: [top, back]}", registry)
    assert "cannot do it" in back


def test_cells_without_an_equal_are_left_out_where_the_recipe_says_so(registry: Registry) -> None:
    text = FIBO + (
        "on_unsupported: skip\nmatrix:\n  light_direction: [left, right, top, back]\n  light_type: [midday, spotlight]\n"
        "  exclude: [{light_direction: left, light_type: midday}]\n"
        "  include: [{light_direction: back}, {light_type: fog-diffused lighting}]"
    )
    recipe = load_text(HEAD + text, registry)
    assert list(expand(recipe).cells) == [
        FrozenMap({"light_direction": "top", "light_type": "midday"}),
        FrozenMap({"light_direction": "top", "light_type": "spotlight"}),
        FrozenMap({"light_type": "fog-diffused lighting"}),
    ]
    assert len(recipe.warnings) == 4  # left, right and back of the axis, back of the include


def test_an_axis_of_which_nothing_is_left_is_an_error(registry: Registry) -> None:
    text = FIBO + "on_unsupported: skip\nmatrix: {light_direction: [left, back]}"
    assert "no value is left" in told(text, registry)[0]


def test_two_axes_may_not_decide_the_same_parameter(registry: Registry) -> None:
    text = APPS + "matrix: {light_direction: back, light_type: spotlight}"
    assert told(text, registry) == [
        "matrix.light_type: decides lighting_style of fal-ai/image-apps-v2/relighting, as "
        "'light_direction' does; remove one of the two"
    ]


def test_the_models_own_values_are_nothing_special(registry: Registry) -> None:
    recipe = load_text(HEAD + FIBO + "matrix: {light_direction: [side, bottom]}", registry)
    assert recipe.warnings == ()


def test_all_of_an_axis_that_the_model_has_itself_are_its_own_values(registry: Registry) -> None:
    recipe = load_text(HEAD + FIBO + "matrix: {light_direction: all}", registry)
    assert recipe.matrix.axes[0].values == ("front", "side", "bottom", "top-down")


def test_a_model_that_takes_the_vocabulary_as_it_is_needs_no_table(registry: Registry) -> None:
    text = "backend: {type: segmind}\nmatrix: {light_direction: all}"
    recipe = load_text(HEAD + text, registry)
    assert recipe.backend.model.light is None
    assert recipe.warnings == ()


@pytest.mark.parametrize("mode", ["error", "near", "skip"])
def test_an_axis_of_which_a_backend_can_do_nothing_is_told_once_with_the_way_round(
    mode: str, registry: Registry
) -> None:
    text = (
        f"on_unsupported: {mode}\nbackend: [{{type: segmind}}, {{type: fal, model: bria/fibo-edit/relight}}]\n"
        "matrix: {light_direction: [top], light_intensity: [bright, mood]}"
    )
    assert told(text, registry) == [
        "matrix.light_intensity: bria/fibo-edit/relight has no parameter of this name; known: "
        "light_direction, light_type (for one backend alone: include: [{backend: NAME, "
        "light_intensity: VALUE}])"
    ]
