"""What a plan costs: per job and in all, in micro-dollars, before anything is bought."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from relightflow.model.catalog import Price
from relightflow.model.image import Image
from relightflow.model.recipe import Recipe
from relightflow.model.values import Parameters


def priced(recipe: Recipe, images: Iterable[Image], cells: Iterable[Parameters]) -> Recipe:
    """`recipe` with the price of one call as `images` and `cells` make it: where its model is charged by
    size, a range from the cheapest call to the dearest, at which every call is reserved."""
    model = recipe.backend.model
    by_size = model.by_size
    pixels = {image.width * image.height for image in images} if by_size else set()
    if by_size is None or not pixels:
        return recipe
    values = {model.normalise(cell).get(by_size.parameter) for cell in cells}
    calls = [by_size.call(size, value) for size in pixels for value in values]
    if not calls:
        return recipe
    each = Price(min(call.low for call in calls), max(call.high for call in calls))
    return replace(recipe, backend=replace(recipe.backend, model=replace(model, price=each)))


def price(recipe: Recipe, jobs: int) -> Price | None:
    """The price of `jobs` distinct jobs, each a range where it depends on the outcome. None where one
    call's price is unknown, also for no job: a cap cannot be kept with a price that nobody knows."""
    each = recipe.backend.model.price
    return None if each is None else each.times(jobs)
