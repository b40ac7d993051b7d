"""What the results of one input image say about each other: orders along an axis, and outliers.

Pure Python on a few numbers a result.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from relightflow.model.job import Output
from relightflow.model.values import Scalar
from relightflow.plugins.check import Measured

_SHARE = 0.1
"""Neighbours in an order are expected to be at least this share of the whole range apart."""
_SUSPECT, _CLEARER = 0.8, 0.9
"""Shares of the largest conflict: from the first on a result is suspected, below the second it may be
cleared by the others."""
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Standing:
    """How one result stands in an order."""

    margin: float | None
    """How far it is beyond its nearest neighbour on the right side; negative: on the wrong side.
    None: there is nobody to compare with."""
    faulty: bool = False
    """The others are in order without it."""


@dataclass(frozen=True, slots=True)
class Ranked:
    rank: float
    """Its place in the order that the recipe asks for."""
    value: float
    """What was measured."""


def value_of(output: Output, axis: str) -> Scalar:
    """The value of a parameter, as the recipe spells it or as it was sent."""
    found: Scalar = output.cell.get(axis, output.job.parameters.get(axis))
    return found


def apart(results: Sequence[Measured], axis: str) -> list[list[int]]:
    """Indices of `results`, those together that differ in nothing but `axis`."""
    found: dict[Hashable, list[int]] = {}
    for index, item in enumerate(results):
        parameters = item.output.job.parameters
        others = tuple(sorted((k, repr(v)) for k, v in parameters.items() if k != axis))
        found.setdefault((item.output.repeat, others), []).append(index)
    return list(found.values())


def standings(items: Mapping[int, Ranked], least: float) -> dict[int, Standing]:
    """How each item stands in the order of ranks. `least`: differences up to it mean nothing.

    Two that stand the wrong way round with nobody to say which is wrong are both faulty.
    """
    values = [item.value for item in items.values()]
    wanted = max(least, _SHARE * (max(values) - min(values)))
    faulty: set[int] = set()
    while True:
        kept = [index for index in items if index not in faulty]
        costs = {index: _cost(items, index, kept, wanted) for index in kept}
        worst = [i for i in kept if _margin(items, i, kept) < -least and costs[i] > 0]
        if not worst:
            break
        most = max(costs[index] for index in worst)
        batch = sorted((i for i in worst if costs[i] >= _SUSPECT * most), key=lambda i: costs[i])
        faulty.update(batch)
        for index in batch:
            rest = [i for i in items if i not in faulty]
            cleared = rest and costs[index] < _CLEARER * most
            if cleared and _margin(items, index, [*rest, index]) > least:
                faulty.discard(index)
    sound = [index for index in items if index not in faulty]
    found = {}
    for index in items:
        others = sound if index not in faulty or len(sound) > 0 else list(items)
        margin = _margin(items, index, [*others, index])
        if margin == float("inf"):
            margin = _margin(items, index, list(items))
        known = margin != float("inf")
        found[index] = Standing(margin if known else None, index in faulty)
    return found


def _signed(items: Mapping[int, Ranked], index: int, other: int) -> float | None:
    """How far the two are apart, positive where they stand as their ranks say; None: one rank."""
    one, two = items[index], items[other]
    if one.rank == two.rank:
        return None
    return one.value - two.value if one.rank > two.rank else two.value - one.value


def _cost(items: Mapping[int, Ranked], index: int, kept: Sequence[int], wanted: float) -> float:
    pairs = (_signed(items, index, other) for other in kept if other != index)
    return sum(max(0.0, wanted - pair) for pair in pairs if pair is not None)


def _margin(items: Mapping[int, Ranked], index: int, kept: Sequence[int]) -> float:
    pairs = [_signed(items, index, other) for other in kept if other != index]
    return min((pair for pair in pairs if pair is not None), default=float("inf"))


def in_order(
    results: Sequence[Measured],
    axis: str,
    rank: Callable[[Scalar], float | None],
    value: Callable[[Measured], float],
    least: float,
) -> dict[int, Standing]:
    """Index of a result → how it stands among those that differ in nothing but `axis`.

    Where no two differ in `axis` alone (picks, a sample), the others of a value stand in with their
    median. `rank`: place of a value in the order; None: it has none.
    """
    found: dict[int, Standing] = {}
    ranks = [rank(value_of(item.output, axis)) for item in results]
    for group in apart(results, axis):
        items = {
            index: Ranked(place, value(results[index]))
            for index in group
            if (place := ranks[index]) is not None
        }
        if len({item.rank for item in items.values()}) > 1:
            found |= standings(items, least)
    alone = [i for i, place in enumerate(ranks) if place is not None and i not in found]
    if alone:
        found |= _with_medians(results, ranks, alone, value, least)
    return found


def _with_medians(
    results: Sequence[Measured],
    ranks: Sequence[float | None],
    alone: Sequence[int],
    value: Callable[[Measured], float],
    least: float,
) -> dict[int, Standing]:
    by_rank: dict[float, list[float]] = {}
    for place, item in zip(ranks, results, strict=True):
        if place is not None:
            by_rank.setdefault(place, []).append(value(item))
    middle = {place: median(values) for place, values in by_rank.items()}
    found = {}
    for index in alone:
        mine = ranks[index]
        assert mine is not None
        items = {
            n + 1: Ranked(place, at)
            for n, (place, at) in enumerate(middle.items())
            if place != mine
        }
        items[0] = Ranked(mine, value(results[index]))
        if len(items) < 2:
            found[index] = Standing(None)
        else:
            found[index] = standings(items, least)[0]
    return found


def residuals(
    results: Sequence[Measured], value: Callable[[Measured], float]
) -> list[float | None]:
    """How far each result is from what its siblings let expect: every value of every axis adds its own
    effect (median polish, Tukey 1977). None: too few siblings to say.

    Along an axis whose values appear once each nothing can be said, so that axis explains nothing.
    """
    names = sorted({name for item in results for name in item.output.job.parameters})
    left = [value(item) for item in results]
    members: list[list[list[int]]] = []
    for name in names:
        by_value: dict[str, list[int]] = {}
        for index, item in enumerate(results):
            by_value.setdefault(repr(item.output.job.parameters.get(name)), []).append(index)
        if len(by_value) > 1 and min(map(len, by_value.values())) >= 3:
            members.append(list(by_value.values()))
    if len(results) < 3:
        return [None] * len(results)
    for _ in range(_ROUNDS):
        for groups in (*members, [list(range(len(results)))]):
            for group in groups:
                middle = median(left[index] for index in group)
                for index in group:
                    left[index] -= middle
    return list(left)
