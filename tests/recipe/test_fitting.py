"""A list of backends is an axis; each makes of the matrix what it can, and says what it cannot."""

from __future__ import annotations

import pytest

from relightflow.errors import InvalidRecipe
from relightflow.model.recipe import BackendLimits, Rate, Recipe
from relightflow.plan.build import expand
from relightflow.plugins.registry import Registry
from relightflow.plugins.registry import load as load_plugins
from relightflow.recipe.apart import with_backend
from relightflow.recipe.loading import load_text

HEAD = """\
version: 1
name: x
sources: [{type: glob, include: ["*.jpg"]}]
sinks: [{type: directory, path: out/}]
"""
TWO = "backend: [{type: preview}, {type: segmind}]\n"
BRIA = "{type: fal, model: bria/fibo-edit/relight, as: bria}"
WITH_BRIA = f"backend: [{{type: segmind}}, {BRIA}]\n"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(found=lambda: ())


def load(text: str, registry: Registry) -> Recipe:
    return load_text(HEAD + text, registry)


def cells(text: str, registry: Registry) -> list[str]:
    """Each cell's values, the backend's label first."""
    return [" ".join(map(str, cell.values())) for cell in expand(load(text, registry)).cells]


def told(text: str, registry: Registry) -> list[str]:
    with pytest.raises(InvalidRecipe) as caught:
        load(text, registry)
    return [f"{p.path}: {p.message}" for p in caught.value.problems]


def test_the_backend_is_the_outermost_axis(registry: Registry) -> None:
    text = TWO + "matrix: {light_direction: [left, top]}"
    assert cells(text, registry) == ["preview left", "preview top", "segmind left", "segmind top"]
    assert expand(load(text, registry)).axes == ("backend", "light_direction")


def test_without_a_matrix_every_backend_makes_one_cell(registry: Registry) -> None:
    assert cells(TWO, registry) == ["preview", "segmind"]


@pytest.mark.parametrize("more", ["", ", as: mine"])
def test_a_list_with_one_entry_is_the_entry(more: str, registry: Registry) -> None:
    matrix = "matrix: {light_direction: [left, top]}"
    one = load(f"backend: [{{type: segmind, api: v1{more}}}]\n{matrix}", registry)
    plain = load(f"backend: {{type: segmind, api: v1}}\n{matrix}", registry)
    assert (one.backend, one.more_backends, one.matrix) == (plain.backend, (), plain.matrix)


def test_an_entry_has_limits_of_its_own(registry: Registry) -> None:
    entry = "{type: segmind, limits: {concurrency: 2, rate: 5/1m, max_cost: 1.5}}"
    recipe = load(f"backend: [{{type: preview}}, {entry}]\nlimits: {{max_cost: 2}}", registry)
    preview, segmind = recipe.backends
    assert segmind.limits == BackendLimits(2, Rate(5, 60.0), 1_500_000)
    assert recipe.limits_of(segmind).concurrency == 2
    assert recipe.limits_of(preview) == recipe.limits


def test_exclude_and_include_may_name_a_backend(registry: Registry) -> None:
    text = TWO + (
        "matrix:\n  light_direction: [left, top]\n"
        "  exclude: [{backend: segmind, light_direction: top}]\n"
        "  include: [{backend: segmind, light_temperature: warm},"
        " {backend: preview, light_direction: back}]\n"
    )
    assert cells(text, registry) == [
        "preview left", "preview top", "segmind left warm", "preview back",
    ]  # fmt: skip


def test_a_new_cell_that_names_no_backend_is_made_by_each(registry: Registry) -> None:
    text = TWO + "matrix: {light_direction: left, include: [{light_direction: back}]}"
    assert cells(text, registry) == ["preview left", "segmind left", "preview back", "segmind back"]
    listed = TWO + "matrix: {include: [{light_direction: left}, {light_direction: top}]}"
    assert cells(listed, registry) == ["preview left", "preview top", "segmind left", "segmind top"]


def test_light_that_one_backend_cannot_do_concerns_that_backend_alone(registry: Registry) -> None:
    matrix = "matrix: {light_direction: [left, back, top]}\n"
    (left, back) = told(WITH_BRIA + matrix, registry)
    assert left.startswith("matrix.light_direction[0]: 'left': bria/fibo-edit/relight has nothing")
    assert "'back': bria/fibo-edit/relight cannot do it" in back
    skipped = cells(WITH_BRIA + matrix + "on_unsupported: skip", registry)
    assert skipped == ["segmind left", "segmind back", "segmind top", "bria top"]
    without = matrix.replace("[left, back, top]", "[left, top]")
    near = load(WITH_BRIA + without + "on_unsupported: near", registry)
    assert len(expand(near).cells) == 4
    assert [w.partition("light_direction")[2] for w in near.warnings] == [
        "[0]: 'left': sent as light_direction 'side', the nearest that bria/fibo-edit/relight has"
    ]


def test_an_included_light_that_one_backend_cannot_do_is_left_out_for_it(
    registry: Registry,
) -> None:
    text = WITH_BRIA + (
        "on_unsupported: skip\nmatrix:\n  light_direction: top\n"
        "  include: [{light_direction: left}, {light_direction: back}]\n"
    )
    assert cells(text, registry) == ["segmind top", "bria top", "segmind left", "segmind back"]


def test_a_value_that_exclude_takes_from_a_backend_need_not_be_known_there(
    registry: Registry,
) -> None:
    text = WITH_BRIA + (
        "matrix:\n  light_direction: [top, back]\n"
        "  exclude: [{backend: bria, light_direction: back}]\n"
    )
    assert cells(text, registry) == ["segmind top", "segmind back", "bria top"]


def test_a_parameter_of_one_backend_is_included_for_it_alone(registry: Registry) -> None:
    axis = told(WITH_BRIA + "matrix: {light_direction: top, light_type: [softbox, x]}", registry)
    assert any("backend segmind: 'x' is not allowed" in line for line in axis)
    (unknown,) = told(TWO + "matrix: {resize_mode: [a]}", registry)[:1]
    assert "(for one backend alone: include: [{backend: NAME, resize_mode: VALUE}])" in unknown


def test_one_backend_of_a_recipe_can_be_asked_for_alone(registry: Registry) -> None:
    text = WITH_BRIA + (
        "on_unsupported: skip\nmatrix:\n  light_direction: [left, top]\n"
        "  exclude: [{backend: segmind, light_direction: top}]\n"
        "  include: [{backend: segmind, light_temperature: warm}]\n"
    )
    recipe = load(text, registry)
    bria, segmind, preview = (
        with_backend(recipe, name, registry) for name in ("bria", "segmind", "preview")
    )
    assert (bria.backend.pair, bria.more_backends) == (("fal", "bria/fibo-edit/relight"), ())
    assert [dict(cell) for cell in expand(segmind).cells] == [
        {"light_direction": "left", "light_temperature": "warm"}
    ]
    assert [dict(cell) for cell in expand(preview).cells] == [
        {"light_direction": "left"}, {"light_direction": "top"},
    ]  # fmt: skip
