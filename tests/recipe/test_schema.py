from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from relightflow.errors import InvalidRecipe
from relightflow.plugins.registry import Registry
from relightflow.recipe import compose_schema
from relightflow.recipe.reading import read
from relightflow.recipe.schema import part, schema_text
from relightflow.recipe.text import decode
from relightflow.recipe.tree import value

EXAMPLES = Path(__file__).parent.parent / "recipes"
BEYOND = {
    "a-million-jobs",
    "backends-axis",
    "backends-prompt",
    "backends-same-label",
    "backends-twice",
    "backends-values",
    "no-cell-left",
    "too-many-jobs",
    "exclude-no-such-value",
    "float-for-whole",
    "prompt-missing",
    "prompt-missing-in-include",
    "repeat-float",
    "sink-climbs-out",
    "source-climbs-inside",
    "source-climbs-out",
}
"""What needs two places at once, or more than draft-07 can say."""
GOOD = [p for kind in ("valid", "warned") for p in sorted((EXAMPLES / kind).glob("*.yaml"))]


@pytest.fixture(scope="module")
def whole(registry: Registry) -> dict[str, Any]:
    return compose_schema(registry)


def accepts(schema: dict[str, Any], path: Path) -> bool | None:
    """None where the file is not even YAML that we read."""
    try:
        tree, flaws = read(decode(path.read_bytes(), path.name), path.name)
    except InvalidRecipe:
        return None
    return None if flaws else jsonschema.Draft7Validator(schema).is_valid(value(tree))


def test_it_is_a_schema_of_draft_07(whole: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(whole)
    assert whole["$schema"] == "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.stem)
def test_an_editor_finds_nothing_in_a_valid_recipe(path: Path, whole: dict[str, Any]) -> None:
    assert accepts(whole, path)


def test_an_editor_finds_what_a_schema_can_find(whole: dict[str, Any]) -> None:
    unseen = {p.stem for p in (EXAMPLES / "invalid").glob("*.yaml") if accepts(whole, p)}
    assert unseen == BEYOND


def test_each_branch_has_its_own_type_and_takes_nothing_unknown(registry: Registry) -> None:
    records = [
        loaded.record
        for known in (registry.sources, registry.backends, registry.sinks)
        for loaded in known.values()
    ]
    for record in records:
        schema = part(record)
        assert schema["properties"]["type"]["const"] == record.name
        assert schema["additionalProperties"] is False
        assert schema["required"][0] == "type"


def test_a_sink_of_files_takes_a_name_and_one_that_gathers_does_not(registry: Registry) -> None:
    assert "name" in part(registry.sink("directory"))["properties"]
    assert "name" not in part(registry.sink("contact-sheet"))["properties"]


def test_composing_changes_no_record(registry: Registry) -> None:
    before = repr(registry.sink("directory").schema)
    compose_schema(registry)
    assert repr(registry.sink("directory").schema) == before


def test_the_same_plugins_in_another_order_give_the_same_text(registry: Registry) -> None:
    turned = Registry(
        sources=dict(reversed(list(registry.sources.items()))),
        backends=dict(reversed(list(registry.backends.items()))),
        sinks=dict(reversed(list(registry.sinks.items()))),
        plugins=registry.plugins,
    )
    assert schema_text(turned) == schema_text(registry)


def test_every_field_of_the_core_is_described(whole: dict[str, Any]) -> None:
    for name, field in whole["properties"].items():
        assert field.get("description"), name
    for name, field in whole["properties"]["limits"]["properties"].items():
        assert re.search(r"\w", field.get("description", "")), name


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        ({"type": "segmint"}, ["backend", 1, "type"]),
        ({"type": "segmind", "as": "Mine/x"}, ["backend", 1, "as"]),
        ({"type": "segmind", "limits": {"rate": "often"}}, ["backend", 1, "limits", "rate"]),
        ({"type": "segmind", "api": "v9"}, ["backend", 1, "api"]),
    ],
)
def test_an_editor_marks_the_place_in_the_entry_of_a_list(
    entry: dict[str, Any], place: list[Any], whole: dict[str, Any]
) -> None:
    recipe = {
        "version": 1, "name": "x", "sources": [{"type": "glob", "include": ["*.jpg"]}],
        "backend": [{"type": "preview"}, entry], "sinks": [{"type": "directory", "path": "out/"}],
    }  # fmt: skip
    (error,) = jsonschema.Draft7Validator(whole).iter_errors(recipe)
    assert list(error.absolute_path) == place
