from __future__ import annotations

import re

from relightflow.plugins.registry import Registry
from relightflow.recipe import load_text, starter


def test_the_starter_loads_and_is_free(registry: Registry) -> None:
    recipe = load_text(starter(), registry)
    assert recipe.backend.model.price is not None
    assert recipe.backend.model.price.free


def test_the_starter_tells_editors_where_the_schema_is() -> None:
    first = starter("../schemas/recipe.schema.json").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schemas/recipe.schema.json"


def test_what_the_starter_has_commented_out_is_right_too(registry: Registry) -> None:
    text = re.sub(r"^( +)# (\w+:)", r"\1\2", starter(), flags=re.MULTILINE)
    recipe = load_text(text, registry)
    assert recipe.limits.max_cost == 5_000_000
    assert recipe.sources[0].options["exclude"] == ("**/draft-*",)
    assert [axis.name for axis in recipe.matrix.axes][-1] == "light_intensity"
    assert recipe.matrix.exclude
