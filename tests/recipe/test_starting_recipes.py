"""The recipes that come with the project, and the line that tells editors which schema is theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.plugins.registry import Registry
from relightflow.plugins.registry import load as load_plugins
from relightflow.recipe import load

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The real one: these recipes are run as they are."""
    return load_plugins(found=tuple)


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_it_is_valid_and_named_like_its_file(path: Path, registry: Registry) -> None:
    assert load(path, registry).name == path.stem


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_editors_find_its_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    mark, _, schema = first.partition("$schema=")
    assert mark == "# yaml-language-server: "
    assert (path.parent / schema).is_file()


def test_only_the_paid_one_costs_money_and_it_has_a_cap(registry: Registry) -> None:
    paid = [
        r for r in (load(path, registry) for path in RECIPES) if not _free(r.backend.model.price)
    ]
    assert [recipe.name for recipe in paid] == ["paid"]
    assert paid[0].limits.max_cost


def _free(price: object) -> bool:
    return bool(getattr(price, "free", False))
