"""A small set of combinations in which every pair of values of any two axes occurs.

Greedy, one combination at a time: it starts with the first pair that is missing, and every further
axis takes the value that brings the most missing pairs. Whether a combination can still be
completed within `exclude` is asked of the grid, which knows exactly, so a pair is left out only
where no combination has it. It is done in a few fixed ways, and the shortest result is taken:
always the earliest of equal values (16 for four axes of four, a perfect square), the best of ten
orders for each combination, and a plain construction for prime numbers of values. Nothing is
random.

Why not a library: covertable 3.2 needs 20 combinations for four axes of four; its optimiser reaches
18 and depends on the clock. A combination too many is money.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from math import isqrt, prod

from relightflow.plan.grid import Combination, Grid

Pair = tuple[int, int, int, int]
"""Axis, value, later axis, value."""

_ORDERS = 10
SMALL = 50_000
"""Pairs up to which several orders are tried for every combination."""


def fewest(grid: Grid) -> int:
    """A lower bound of the combinations needed, found at once: the pairs of the two longest axes,
    less what `exclude` can take away. No pair is in more combinations than the other axes have."""
    others = prod(sorted(len(values) for values in grid.values)[:-2])
    return -(-grid.total // others) if others else 0


def pairwise(grid: Grid, most: int) -> list[Combination]:
    """The combinations in plan order. More than `most` mean that it was not worth going on.

    Raises `Tangled` where the grid cannot say what `exclude` leaves.
    """
    usable = [
        [v for v in range(len(values)) if not grid.excludes or grid.count({axis: v})]
        for axis, values in enumerate(grid.values)
    ]
    if len(usable) < 2:
        return [(value,) for value in usable[0]] if usable else [()]
    ways = [_greedy(grid, usable, 1, most)]
    if len(ways[0]) <= most and sum(len(a) * len(b) for a, b in combinations(usable, 2)) <= SMALL:
        ways.append(_greedy(grid, usable, _ORDERS, most))
        if not grid.excludes:
            ways.append(_square([len(values) for values in usable]))
    shortest = min(ways, key=len)
    return sorted(shortest)


def _square(sizes: list[int]) -> list[Combination]:
    """p² combinations for axes of at most p values, p a prime: lines of the plane over p. Two
    different slopes meet once in each pair of values."""
    p = max(*sizes, len(sizes) - 1)
    while any(p % divisor == 0 for divisor in range(2, isqrt(p) + 1)):
        p += 1
    rows = (
        (*((x + slope * y) % p for slope in range(len(sizes) - 1)), y)
        for x, y in product(range(p), repeat=2)
    )
    # where an axis has fewer values the others are free: any value will do
    return list(
        dict.fromkeys(tuple(v % size for v, size in zip(row, sizes, strict=True)) for row in rows)
    )


def _greedy(grid: Grid, usable: list[list[int]], orders: int, most: int) -> list[Combination]:
    rows: list[Combination] = []
    covered: set[Pair] = set()
    for start in _pairs_of_axes(usable):
        if len(rows) > most:
            break
        if start in covered:
            continue
        if grid.excludes and not grid.count({start[0]: start[1], start[2]: start[3]}):
            continue
        tried = (_complete(grid, usable, start, covered, turn) for turn in range(orders))
        row = max(tried, key=lambda row: sum(pair not in covered for pair in _pairs(row)))
        rows.append(row)
        covered.update(_pairs(row))
    return rows


def _pairs_of_axes(usable: list[list[int]]) -> Iterator[Pair]:
    for a, b in combinations(range(len(usable)), 2):
        for x, y in product(usable[a], usable[b]):
            yield a, x, b, y


def _pairs(row: Combination) -> Iterator[Pair]:
    return ((a, x, b, y) for (a, x), (b, y) in combinations(enumerate(row), 2))


def _complete(
    grid: Grid, usable: list[list[int]], start: Pair, covered: set[Pair], turn: int
) -> Combination:
    """A combination with the pair `start`, greedy on the other axes. `turn` varies which axis comes
    first and which of equal values is taken; 0: always the first."""
    fixed = {start[0]: start[1], start[2]: start[3]}
    count = len(usable)
    for step in range(count):
        axis = (step + turn) % count
        if axis not in fixed:
            values = usable[axis]
            first = (turn * (start[1] + start[3] + axis)) % len(values)
            fixed[axis] = _best(grid, values[first:] + values[:first], axis, fixed, covered)
    return tuple(fixed[axis] for axis in range(count))


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
