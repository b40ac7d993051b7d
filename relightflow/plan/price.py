"""What a plan costs: per job and in all, in micro-dollars, before anything is bought."""

from __future__ import annotations

from relightflow.model.catalog import Price
from relightflow.model.recipe import Recipe


def job_price(recipe: Recipe) -> Price | None:
    """One call's price: a range where it depends on the outcome; None: unknown."""
    return recipe.backend.model.price


def price(recipe: Recipe, jobs: int) -> Price | None:
    """The price of `jobs` distinct jobs. None where one call's price is unknown, also for no job:
    a cap cannot be kept with a price that nobody knows."""
    each = job_price(recipe)
    return None if each is None else each.times(jobs)
