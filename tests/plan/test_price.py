from __future__ import annotations

from dataclasses import replace
from typing import Any

from relightflow.model.catalog import FREE, Price
from relightflow.model.recipe import Recipe
from relightflow.plan.build import build
from relightflow.plan.price import job_price, price


def priced(make: Any, each: Price | None) -> Recipe:
    recipe: Recipe = make.recipe(make.matrix({"a": ["x", "y"]}))
    model = replace(recipe.backend.model, price=each)
    return replace(recipe, backend=replace(recipe.backend, model=model))


def test_a_range_stays_a_range(make: Any) -> None:
    assert price(priced(make, Price(1, 5)), 3) == Price(3, 15)


def test_an_unknown_price_stays_unknown(make: Any) -> None:
    assert price(priced(make, None), 0) is None


def test_free_stays_free(make: Any) -> None:
    assert price(priced(make, FREE), 1000) == FREE


def test_one_jobs_price_is_the_models(make: Any) -> None:
    assert job_price(priced(make, Price(1, 5))) == Price(1, 5)


def test_the_same_bytes_under_two_names_are_paid_once(make: Any) -> None:
    images = [make.image("1.png", "same"), make.image("2.png", "same")]
    assert build(priced(make, Price(1, 5)), images).price == Price(2, 10)
