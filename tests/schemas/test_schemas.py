"""The published schema files are schemas, and the recipe's is the one that the code composes.

To write it anew: `relightflow schema > schemas/recipe.schema.json`, or run this file with
`RELIGHTFLOW_GOLDEN=write`, and read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import jsonschema
import pytest

from relightflow.plugins.registry import load
from relightflow.recipe import PUBLISHED, published, schema_text
from relightflow.recipe.published import published_path

FOLDER = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_schema_is_draft_07_and_says_how_it_is_made(name: str) -> None:
    schema = published(name)
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert "relightflow schema" in schema["$comment"]


def test_the_folder_holds_what_is_published_and_nothing_else() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(
        f"{name}.schema.json" for name in PUBLISHED
    )


def test_the_recipe_schema_is_the_one_that_the_built_ins_make() -> None:
    text = schema_text(load(found=tuple))
    path = published_path("recipe")
    if os.environ.get("RELIGHTFLOW_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text
