"""What a plan costs: per job and in all, in micro-dollars, before anything is bought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from relightflow.model.catalog import FREE, Price
from relightflow.model.image import Image
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.values import Parameters


def priced(recipe: Recipe, images: Iterable[Image], cells: Iterable[Parameters]) -> Recipe:
    """`recipe` with the price of one call as `images` and `cells` make it: where its model is charged by
    size, a range from the cheapest call to the dearest. (A run reserves each at its own.)"""
    if not any(spec.model.by_size for spec in recipe.backends):
        return recipe
    pixels = {image.width * image.height for image in images}
    made: dict[int, list[Parameters]] = {}
    for cell in cells:
        made.setdefault(recipe.number_of(cell), []).append(cell)
    first, *others = (
        _priced(recipe, spec, pixels, made.get(number, ()))
        for number, spec in enumerate(recipe.backends)
    )
    return replace(recipe, backend=first, more_backends=tuple(others))


def _priced(
    recipe: Recipe, spec: BackendSpec, pixels: set[int], cells: Iterable[Parameters]
) -> BackendSpec:
    model, by_size = spec.model, spec.model.by_size
    if by_size is None:
        return spec
    values = {recipe.sent(cell).get(by_size.parameter) for cell in cells}
    calls = [by_size.call(size, value) for size in pixels for value in values]
    if not calls:
        return spec
    each = Price(min(call.low for call in calls), max(call.high for call in calls))
    return replace(spec, model=replace(model, price=each))


def price(recipe: Recipe, jobs: Sequence[int]) -> Price | None:
    """The price of so many distinct jobs of each backend, each a range where it depends on the outcome.
    None where one call's price is unknown, also for no job: a cap cannot be kept with a price that nobody
    knows."""
    total = FREE
    for spec, count in zip(recipe.backends, jobs, strict=True):
        if spec.model.price is None:
            return None
        total += spec.model.price.times(count)
    return total
