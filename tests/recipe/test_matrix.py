from __future__ import annotations

import pytest

from relightflow.errors import InvalidRecipe
from relightflow.model.values import FrozenMap, Scalar
from relightflow.plugins.registry import Registry
from relightflow.recipe import load_text, matrix

HEAD = """\
version: 1
name: example
sources: [{type: glob, include: ["*.jpg"]}]
sinks: [{type: directory, path: out/}]
"""
IC_LIGHT = "backend: {type: segmind, model: ic-light}\n"


def told(text: str, registry: Registry) -> list[str]:
    with pytest.raises(InvalidRecipe) as caught:
        load_text(HEAD + text, registry)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def test_axes_keep_the_recipes_order_and_all_the_providers(registry: Registry) -> None:
    recipe = load_text(HEAD + "matrix: {light_type: [sunlight], light_direction: all}", registry)
    assert [(axis.name, axis.values) for axis in recipe.matrix.axes] == [
        ("light_type", ("sunlight",)),
        ("light_direction", ("left", "right", "top", "back")),
    ]


def test_all_is_ordinary_text_for_a_text_parameter(registry: Registry) -> None:
    recipe = load_text(HEAD + IC_LIGHT + "matrix: {prompt: all}", registry)
    assert recipe.matrix.axes[0].values == ("all",)


def test_one_and_one_point_nought_are_one_value(registry: Registry) -> None:
    text = IC_LIGHT + "matrix: {prompt: p, cfg: [1, 1.0]}"
    assert told(text, registry) == ["matrix.cfg[1]: 1.0 is a duplicate of [0]"]


def test_a_value_that_is_not_allowed_is_not_told_again_as_a_twin(registry: Registry) -> None:
    assert len(told("matrix: {light_type: [x, x]}", registry)) == 2


def test_exclude_compares_a_number_by_its_value(registry: Registry) -> None:
    text = IC_LIGHT + "matrix: {prompt: p, cfg: [1, 2], exclude: [{cfg: 2.0}]}"
    assert load_text(HEAD + text, registry).matrix.exclude == (FrozenMap({"cfg": 2.0}),)


def test_include_may_bring_a_parameter_that_is_no_axis(registry: Registry) -> None:
    text = "matrix: {light_type: softbox, include: [{light_direction: left}]}"
    assert load_text(HEAD + text, registry).matrix.include


@pytest.mark.parametrize(
    "matrix",
    [
        "{prompt: p}",
        "{cfg: [1, 2], include: [{prompt: p}]}",
        "{include: [{prompt: p}, {prompt: q, cfg: 3}]}",
        "{prompt: p, cfg: [1, 2], include: [{cfg: 3, prompt: p}]}",
    ],
)
def test_a_required_parameter_may_come_from_an_axis_or_an_include(
    matrix: str, registry: Registry
) -> None:
    recipe = load_text(HEAD + IC_LIGHT + f"matrix: {matrix}", registry)
    assert recipe.backend.model.name == "ic-light"


@pytest.mark.parametrize(
    ("matrix", "path"),
    [
        ("{}", "matrix"),
        ("{cfg: 1}", "matrix"),
        ("{cfg: [1, 2], include: [{cfg: 1, prompt: p}]}", "matrix"),
        ("{include: [{prompt: p}, {cfg: 3}]}", "matrix"),
        ("{prompt: p, cfg: [1, 2], include: [{cfg: 3}]}", "matrix.include[0]"),
    ],
)
def test_a_required_parameter_that_some_cell_lacks_is_missing(
    matrix: str, path: str, registry: Registry
) -> None:
    (line,) = told(IC_LIGHT + f"matrix: {matrix}", registry)
    assert line.startswith(f"{path}: ")
    assert "ic-light requires 'prompt'" in line


def test_values_are_not_checked_against_a_model_that_does_not_exist(registry: Registry) -> None:
    text = "backend: {type: segmind, model: x}\nmatrix: {a: [b, b], exclude: [{c: d}]}"
    assert [line.split(":")[0] for line in told(text, registry)] == [
        "backend.model",
        "matrix.a[1]",
        "matrix.exclude[0].c",
    ]


@pytest.mark.parametrize("value", ["all", "[left]", "{a: b}", "~"])
def test_an_include_holds_single_values(value: str, registry: Registry) -> None:
    text = f"matrix: {{light_type: softbox, include: [{{light_direction: {value}}}]}}"
    (line,) = told(text, registry)
    assert line.startswith("matrix.include[0].light_direction: ")


def test_each_value_is_looked_at_a_few_times_however_many_excludes_there_are(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = 0
    own = matrix._identity

    def counting(value: Scalar) -> tuple[type, Scalar]:
        nonlocal looked
        looked += 1
        return own(value)

    monkeypatch.setattr(matrix, "_identity", counting)
    many = 3000
    values = ", ".join(f"p{n}" for n in range(many))
    excludes = ", ".join(f"{{prompt: p{n}}}" for n in range(many - 1))
    text = f"matrix: {{prompt: [{values}], exclude: [{excludes}]}}"
    assert len(load_text(HEAD + IC_LIGHT + text, registry).matrix.exclude) == many - 1
    assert looked < 5 * many
