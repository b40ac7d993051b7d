from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from relightflow.errors import InvalidRecipe
from relightflow.model.catalog import FREE, Model, Parameter
from relightflow.plan.build import expand
from relightflow.plan.keys import job_key
from relightflow.plugins.records import BackendRecord, SinkRecord, SourceRecord
from relightflow.plugins.registry import Loaded, Registry
from relightflow.recipe import load, load_text
from relightflow.recipe.annotations import allow, is_annotation, without
from relightflow.recipe.reading import read
from relightflow.recipe.tree import value

EXAMPLE = Path(__file__).parent.parent / "recipes/valid/annotations.yaml"
BARE = """\
version: 1
name: annotated
sources: [{type: glob, include: ["*.jpg"]}]
backend: {type: preview}
matrix:
  light_direction: [left, right]
  exclude: [{light_direction: right}]
  include: [{light_direction: back}]
sample: {strategy: first, count: 2}
limits: {concurrency: 2}
sinks: [{type: directory, path: out/}]
"""
NESTED = {
    "additionalProperties": False,
    "properties": {
        "format": {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "additionalProperties": False, "properties": {"q": {}}},
            ]
        },
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "x-mine": {"type": "integer"},
        "items": {"items": {"additionalProperties": False, "properties": {}}},
    },
}


def stripped(text: str, schema: dict[str, Any]) -> Any:
    tree, flaws = read(text, "r")
    assert not flaws
    jsonschema.Draft7Validator(allow(schema)).validate(value(tree))
    return value(without(tree, allow(schema)))


def test_which_names_are_annotations() -> None:
    assert [*filter(is_annotation, ("description", "x-", "x-a", "x", "X-a", "descriptions"))] == [
        "description", "x-", "x-a"
    ]  # fmt: skip


def test_an_annotated_recipe_is_the_recipe_without_its_annotations(registry: Registry) -> None:
    annotated, bare = load(EXAMPLE, registry), load_text(BARE, registry, EXAMPLE)
    for part in ("sources", "backend", "matrix", "sample", "limits", "sinks", "name", "warnings"):
        assert getattr(annotated, part) == getattr(bare, part), part
    cells = [expand(recipe).cells for recipe in (annotated, bare)]
    assert [*cells[0]] == [*cells[1]]


def test_the_key_of_a_job_is_the_one_that_it_always_was(registry: Registry) -> None:
    recipe = load(EXAMPLE, registry)
    model = recipe.backend.model
    (first, *_) = expand(recipe).cells
    assert job_key("preview", model.name, "a" * 64, model.normalise(first), 0) == (
        "67b3d28e7a98e599271c2513413781d79ce0c63ab5ac3ccd0bc1667f109e07b0"
    )


def test_they_are_taken_out_at_every_depth_and_an_open_mapping_keeps_its_own() -> None:
    text = (
        "{description: a, x-b: [1], format: {q: 1, description: b, x-c: 2}, x-mine: 3,"
        " headers: {description: kept, x-token: kept}, items: [{x-d: 1}]}"
    )
    assert stripped(text, NESTED) == {
        "format": {"q": 1},
        "x-mine": 3,
        "headers": {"description": "kept", "x-token": "kept"},
        "items": [{}],
    }


def test_an_option_or_a_parameter_of_that_name_goes_first() -> None:
    described = {"type": "object", "properties": {"description": {"type": "string"}}}
    model = Model("m", (Parameter("description", values=("a", "b"), default="a"),), FREE)
    registry = Registry(
        sources={"s": Loaded(SourceRecord("s", "", "a:b", described), "p")},
        backends={"b": Loaded(BackendRecord("b", "", (model,), "a:b"), "p")},
        sinks={"t": Loaded(SinkRecord("t", "", "a:b", described), "p")},
        plugins=("p",),
    )
    recipe = load_text(
        "{version: 1, name: x, sources: [{type: s, description: mine}], backend: {type: b},"
        " matrix: {description: [a, b], x-b: c}, sinks: [{type: t, description: yours, x-c: 1}]}",
        registry,
    )
    assert recipe.sources[0].options == {"description": "mine"}
    assert recipe.sinks[0].options == {"description": "yours"}
    assert [axis.name for axis in recipe.matrix.axes] == ["description"]


def test_a_limit_that_stands_elsewhere_is_sent_to_its_place(registry: Registry) -> None:
    with pytest.raises(InvalidRecipe, match=r"did you mean 'limits\.on_reject'\?"):
        load_text(f"{BARE}on_reject: skip\n", registry)


def test_no_message_offers_them_as_fields(registry: Registry) -> None:
    with pytest.raises(InvalidRecipe, match="known: strategy, count") as caught:
        load_text(BARE.replace("count: 2", "count: 2, seeds: 1"), registry)
    assert "description" not in str(caught.value)
