from __future__ import annotations

import json

import pytest

from relightflow.recipe.published import PUBLISHED, published, published_path


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_schema_can_be_read(name: str) -> None:
    assert published(name) == json.loads(published_path(name).read_text(encoding="utf-8"))


def test_a_name_that_is_none_is_refused_before_it_becomes_a_path() -> None:
    with pytest.raises(ValueError, match="known: recipe, manifest-record, summary"):
        published_path("../pyproject")
