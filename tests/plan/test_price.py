from __future__ import annotations

from dataclasses import replace
from typing import Any

from relightflow.model.catalog import FREE, MegapixelPrice, Price
from relightflow.model.plan import Selection
from relightflow.model.recipe import Recipe
from relightflow.plan.build import build
from relightflow.plan.price import price


def priced(make: Any, each: Price | None) -> Recipe:
    recipe: Recipe = make.recipe(make.matrix({"a": ["x", "y"]}))
    model = replace(recipe.backend.model, price=each)
    return replace(recipe, backend=replace(recipe.backend, model=model))


def test_a_range_stays_a_range(make: Any) -> None:
    assert price(priced(make, Price(1, 5)), [3]) == Price(3, 15)


def test_an_unknown_price_stays_unknown(make: Any) -> None:
    assert price(priced(make, None), [0]) is None


def test_free_stays_free(make: Any) -> None:
    assert price(priced(make, FREE), [1000]) == FREE


def test_the_same_bytes_under_two_names_are_paid_once(make: Any) -> None:
    images = [make.image("1.png", "same"), make.image("2.png", "same")]
    assert build(priced(make, Price(1, 5)), images).price == Price(2, 10)


def test_a_price_by_size_is_a_range_over_the_calls_of_the_plan(make: Any) -> None:
    recipe = priced(make, Price(100, 100))
    by_size = MegapixelPrice(Price(100, 100), "a", (("x", 1 << 20),))
    model = replace(recipe.backend.model, by_size=by_size)
    recipe = replace(recipe, backend=replace(recipe.backend, model=model))
    small = replace(make.image("1.png"), width=1024, height=1024)
    large = replace(make.image("2.png"), width=4096, height=2048)
    plan = build(recipe, [small, large])
    assert plan.recipe.backend.model.price == Price(100, 900)
    assert plan.price == Price(400, 3600)
    part = build(recipe, [small, large], Selection(only=(("image", ("1.png",)),)))
    assert part.price == Price(200, 400)
    assert part.whole is not None
    assert part.whole.price == plan.price
    assert build(recipe, []).recipe.backend.model.price == Price(100, 100)
