from __future__ import annotations

import pytest

from relightflow.plugins.registry import Registry
from relightflow.recipe.findings import Findings
from relightflow.recipe.parts import check_backends, is_foreign
from relightflow.recipe.reading import read


def findings(text: str) -> Findings:
    return Findings(read(text, "r")[0])


@pytest.mark.parametrize("text", ["[]", "text", "1", "version: 2", "version: 99"])
def test_what_is_no_recipe_of_this_format_is_foreign(text: str) -> None:
    assert is_foreign(findings(text))


@pytest.mark.parametrize("text", ["{}", "version: 1", "version: 0", "version: '2'", "version: [2]"])
def test_what_may_be_one_is_not(text: str) -> None:
    assert not is_foreign(findings(text))


def test_without_a_backend_it_is_preview(registry: Registry) -> None:
    chosen = check_backends(findings("name: x"), registry)
    assert chosen is not None
    assert chosen[0].record.name == "preview"


def test_without_a_model_it_is_the_backends_first(registry: Registry) -> None:
    chosen = check_backends(findings("backend: {type: segmind}"), registry)
    assert chosen is not None
    assert chosen[0].model.name == "segmind-relighting"


@pytest.mark.parametrize("text", ["{type: x}", "{type: segmind, model: x}", "{type: 1}", "{}", "x"])
def test_without_one_that_exists_there_is_none(text: str, registry: Registry) -> None:
    assert check_backends(findings(f"backend: {text}"), registry) is None
