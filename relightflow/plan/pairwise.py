"""A small set of combinations in which every pair of values of any two axes occurs.

One combination at a time: it starts with the first pair that is missing, and every further axis
takes the value that brings the most missing pairs, the earliest of equals. Whether a combination
can still be completed within `exclude` is asked of the grid, which knows exactly, so a pair is left
out only where no combination has it. Nothing is random.

Why not a library: covertable 3.2 needs 20 combinations for four axes of four, where 16 do and this
finds 16; its optimiser reaches 18 and depends on the clock. A combination too many is money.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

from relightflow.plan.grid import Combination, Grid

Pair = tuple[int, int, int, int]
"""Axis, value, later axis, value."""


def fewest(grid: Grid, originals: int) -> int:
    """A lower bound of the combinations needed: the pairs of the two longest axes, if none is
    excluded. With excludes the bound is only what is certain without a search."""
    longest = sorted((len(values) for values in grid.values), reverse=True)[:2]
    if grid.excludes or not originals:
        return min(originals, 1)
    return longest[0] * (longest[1] if len(longest) > 1 else 1)


def pairwise(grid: Grid, most: int) -> list[Combination]:
    """The combinations, in the order they were found; stops after `most` + 1."""
    rows: list[Combination] = []
    covered: set[Pair] = set()
    usable = _usable(grid)
    for start in _starts(usable):
        if len(rows) > most:
            break
        if start in covered:
            continue
        row = _complete(grid, usable, start, covered)
        if row is not None:
            rows.append(row)
            covered.update((a, row[a], b, row[b]) for a, b in combinations(range(len(row)), 2))
    return rows or [(value,) for value in (usable[0] if usable else ())]


def _usable(grid: Grid) -> list[list[int]]:
    """For each axis the values that occur at all."""
    return [
        [v for v in range(len(values)) if not grid.excludes or grid.count({axis: v})]
        for axis, values in enumerate(grid.values)
    ]


def _starts(usable: list[list[int]]) -> Iterator[Pair]:
    for a, b in combinations(range(len(usable)), 2):
        for x, y in product(usable[a], usable[b]):
            yield a, x, b, y


def _complete(
    grid: Grid, usable: list[list[int]], start: Pair, covered: set[Pair]
) -> Combination | None:
    """A combination with the pair `start`, greedy on the other axes; None: `exclude` forbids it."""
    fixed = {start[0]: start[1], start[2]: start[3]}
    if grid.excludes and not grid.count(fixed):
        return None
    for axis in range(len(usable)):
        if axis not in fixed:
            fixed[axis] = _best(grid, usable[axis], axis, fixed, covered)
    return tuple(fixed[axis] for axis in range(len(usable)))


def _best(
    grid: Grid, values: list[int], axis: int, fixed: dict[int, int], covered: set[Pair]
) -> int:
    """The value of `axis` that brings the most missing pairs and can still be completed."""

    def gain(value: int) -> int:
        return sum(
            ((a, x, axis, value) if a < axis else (axis, value, a, x)) not in covered
            for a, x in fixed.items()
        )

    for value in sorted(values, key=gain, reverse=True):  # stable: the earliest of equals first
        if not grid.excludes or grid.count({**fixed, axis: value}):
            return value
    raise AssertionError("a combination that can be completed has a value for every axis")
