"""Divides a plan among machines that work side by side: shard k of n has the jobs whose key leaves the
remainder k - 1 when it is divided by n.

The division depends on the keys alone. So equal jobs are in one shard, and neither the order of a
recipe nor what is added to it moves a job to another shard.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace

from relightflow.errors import UsageError
from relightflow.model.plan import Plan, Shard
from relightflow.model.recipe import Rate, Recipe
from relightflow.plan.outputs import counted, firsts, outputs


def shard_of(plan: Plan, shard: Shard) -> Plan:
    """The part of `plan` that is `shard`. Its rate is a whole number of calls, rounded down.

    Raises UsageError where the recipe's rate is too low to be divided.
    """
    recipe = _recipe(plan.recipe, shard)
    picked, numbers = _places(plan, shard)
    part = replace(
        plan,
        recipe=recipe,
        limit=None,
        picked=picked,
        numbers=numbers,
        outputs_count=len(numbers),
        whole=plan.described,
        shard=shard,
        divided=plan,
    )
    return counted(part)


def jobs_digest(plan: Plan) -> str:
    """sha256 of the keys of all jobs of the whole plan, sorted: two plans with the same work have the
    same digest, whatever their recipes look like."""
    keys = sorted(output.job.key for output in firsts(plan.divided or plan))
    return hashlib.sha256("\n".join(keys).encode("ascii")).hexdigest()


def _recipe(recipe: Recipe, shard: Shard) -> Recipe:
    """`recipe` with its rates divided."""
    first, *others = (
        replace(spec, limits=replace(spec.limits, rate=_rate(spec.limits.rate, shard, at)))
        for spec in recipe.backends
        for at in (f"backend[{spec.place}].limits.rate",)
    )
    rate = _rate(recipe.limits.rate, shard, "limits.rate")
    limits = replace(recipe.limits, rate=rate)
    return replace(recipe, limits=limits, backend=first, more_backends=tuple(others))


def _rate(rate: Rate | None, shard: Shard, name: str) -> Rate | None:
    if rate is None:
        return None
    if rate.calls < shard.count:
        raise UsageError(
            f"{name} allows {rate.calls:,} calls, which cannot be divided by {shard.count:,} "
            f"shards; use {rate.calls:,} shards or fewer"
        )
    return replace(rate, calls=rate.calls // shard.count)


def _places(plan: Plan, shard: Shard) -> tuple[tuple[tuple[int, ...], ...], Sequence[int]]:
    """For each image, the places of the outputs that are in the shard (`Plan.picked`), and the index of
    each output in all that the recipe describes."""
    kept: list[list[int]] = [[] for _ in plan.images]
    numbers = array("Q")
    for (image, place), output in zip(_all_places(plan), outputs(plan), strict=False):
        if shard.has(output.job.key):
            kept[image].append(place)
            numbers.append(output.index)
    return tuple(map(tuple, kept)), numbers


def _all_places(plan: Plan) -> Iterator[tuple[int, int]]:
    """Position of the image and place within it, of every output in plan order."""
    every = range(len(plan.cells) * plan.repeat)
    for image in range(len(plan.images)):
        for place in every if plan.picked is None else plan.picked[image]:
            yield image, place
