"""The combinations of the axes that `exclude` leaves: counted and found without building them.

A combination is a tuple of value indexes, one an axis, the first axis outermost. `exclude` matches
partially. A pattern of one axis takes its value away from the start, so a matrix with a thousand of
those costs no more than a shorter one. Other patterns that can still match are one bit each in an
integer; choosing a value clears the bits that it contradicts. Subtrees in which the same patterns are alive are the same, so each is
counted once: a grid of 10¹² combinations costs a few steps, as long as its patterns overlap little.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, product
from math import prod
from operator import or_

from relightflow.model.recipe import Axis
from relightflow.model.values import Parameters, Scalar
from relightflow.plan.spelling import spell

MOST_BYTES = 64 * 1024 * 1024
"""Memory for counting. Only hundreds of overlapping patterns over many axes come near it."""

MOST_STEPS = 3_000_000
"""Looks at a value or a pattern in all counting of one grid: a second or two. An ordinary recipe
needs a few thousand."""

LONG, REMEMBERED = 16, 64
"""Where values begin is remembered if more than `LONG` were counted, for so many places."""

Combination = tuple[int, ...]


class Tangled(Exception):
    """The patterns overlap so much that counting what they leave is out of reach."""


class Grid:
    """All methods are deterministic; nothing but memory of counts changes. Raises `Tangled` where counting is out of reach."""

    def __init__(self, axes: Sequence[Axis], exclude: Sequence[Parameters] = ()) -> None:
        self.names = tuple(axis.name for axis in axes)
        self.values = tuple(axis.values for axis in axes)
        self._index = {
            axis.name: {spell(value): i for i, value in enumerate(axis.values)} for axis in axes
        }
        self.distinct = all(len(self._index[a.name]) == len(a.values) for a in axes)
        """No axis has a value twice."""
        found = (self.pattern(entry) for entry in exclude)
        patterns = list(dict.fromkeys(tuple(p.items()) for p in found if p is not None))
        self.excludes = bool(patterns)
        self._empty = () in patterns
        gone = {pattern[0] for pattern in patterns if len(pattern) == 1}
        self._kept = tuple(
            tuple(v for v in range(len(axis.values)) if (i, v) not in gone)
            for i, axis in enumerate(axes)
        )
        """For each axis the values that no pattern takes away alone."""
        self._place = tuple({value: n for n, value in enumerate(kept)} for kept in self._kept)
        self._sizes = tuple(map(len, self._kept))
        self._below = tuple(prod(self._sizes[i:]) for i in range(len(axes) + 1))
        self._learn([p for p in patterns if len(p) > 1 and gone.isdisjoint(p)])
        self.total = self.count()

    def _learn(self, patterns: list[tuple[tuple[int, int], ...]]) -> None:
        """For each axis: the bits of patterns that do not name it, that want a value of it, and
        that are matched whole before it."""
        self._patterns = [dict(pattern) for pattern in patterns]
        self._all = (1 << len(patterns)) - 1
        self._free = [self._all] * len(self.names)
        self._wants: list[dict[int, int]] = [{} for _ in self.names]
        self._done = [0] * (len(self.names) + 1)
        for bit, pattern in enumerate(self._patterns):
            self._done[max(pattern) + 1] |= 1 << bit
            for axis, value in pattern.items():
                wants = self._wants[axis]
                wants[value] = wants.get(value, 0) | 1 << bit
        for axis, wants in enumerate(self._wants):
            self._free[axis] ^= reduce(or_, wants.values(), 0)
        self.steps = 0
        """Looks taken so far, see `MOST_STEPS`."""
        self._memo: dict[tuple[int, int], int] = {}
        self._fixed: dict[tuple[tuple[int, int], ...], int] = {}
        self._starts: dict[tuple[int, int], _Starts] = {}

    def pattern(self, entry: Mapping[str, Scalar]) -> dict[int, int] | None:
        """Axis index → value index for those of `entry`'s names that are axes; None: no
        combination has such a value."""
        found = {}
        for axis, name in enumerate(self.names):
            if name in entry:
                value = self._index[name].get(spell(entry[name]))
                if value is None:
                    return None
                found[axis] = value
        return found

    def count(self, fixed: Mapping[int, int] | None = None) -> int:
        """How many combinations are left that have the values in `fixed` (axis index → value)."""
        if self._empty or any(v not in self._place[axis] for axis, v in (fixed or {}).items()):
            return 0
        if not fixed:
            return self._count(0, self._all, {}, self._memo)
        key = tuple(sorted(fixed.items()))
        if key not in self._fixed:
            self._fixed[key] = self._count(0, self._all, fixed, {})
        return self._fixed[key]

    def __iter__(self) -> Iterator[Combination]:
        return self._walk(0, self._all, ()) if self.total else iter(())

    def at(self, position: int) -> Combination:
        """The combination at `position`, counted from 0 in plan order."""
        chosen: Combination = ()
        alive = self._all
        for axis in range(len(self.names)):
            if not alive:
                place, position = divmod(position, self._below[axis + 1])
                chosen += (self._kept[axis][place],)
                continue
            starts = self._starts_of(axis, alive)
            place, position = starts.find(position)
            chosen += (self._kept[axis][place],)
            alive = self._next(axis, alive, chosen[-1])
        return chosen

    def _starts_of(self, axis: int, alive: int) -> _Starts:
        """Which positions each value of `axis` begins at. The long ones are remembered, a few."""
        found = self._starts.get((axis, alive))
        if found is None:
            rest = self._count(axis + 1, alive & self._free[axis], {}, self._memo)
            wanted = sorted((self._place[axis][v], v) for v in self._wanted(axis, alive))
            counts = [
                self._count(axis + 1, self._next(axis, alive, value), {}, self._memo)
                for _, value in wanted
            ]
            found = _Starts.of([place for place, _ in wanted], counts, rest)
            if len(wanted) > LONG:
                if len(self._starts) > REMEMBERED:
                    self._starts.clear()
                self._starts[axis, alive] = found
        return found

    def _next(self, axis: int, alive: int, value: int) -> int:
        return alive & (self._free[axis] | self._wants[axis].get(value, 0))

    def _wanted(self, axis: int, alive: int) -> list[int]:
        """The values of `axis` that some pattern of `alive` wants, by the shorter of two ways."""
        wants = self._wants[axis]
        bits = alive & ~self._free[axis]
        few = bits.bit_count() < len(wants)
        self.steps += min(bits.bit_count(), len(wants))
        if not few:
            return [value for value, those in wants.items() if those & bits]
        found: dict[int, None] = {}
        while bits:
            lowest = bits & -bits
            found[self._patterns[lowest.bit_length() - 1][axis]] = None
            bits ^= lowest
        return list(found)

    def _count(
        self, axis: int, alive: int, fixed: Mapping[int, int], memo: dict[tuple[int, int], int]
    ) -> int:
        if alive & self._done[axis]:
            return 0
        if not alive:
            return prod(1 if i in fixed else self._sizes[i] for i in range(axis, len(self._sizes)))
        if (axis, alive) not in memo:
            self.steps += 1
            if self.steps > MOST_STEPS or len(memo) * (alive.bit_length() // 8 + 200) > MOST_BYTES:
                raise Tangled
            if axis in fixed:
                memo[axis, alive] = self._count(
                    axis + 1, self._next(axis, alive, fixed[axis]), fixed, memo
                )
            else:
                wanted = self._wanted(axis, alive)
                rest = self._count(axis + 1, alive & self._free[axis], fixed, memo)
                memo[axis, alive] = rest * (self._sizes[axis] - len(wanted)) + sum(
                    self._count(axis + 1, self._next(axis, alive, v), fixed, memo) for v in wanted
                )
        return memo[axis, alive]

    def _walk(self, axis: int, alive: int, chosen: Combination) -> Iterator[Combination]:
        if not alive:
            for rest in product(*self._kept[axis:]):
                yield chosen + rest
            return
        if not self._count(axis, alive, {}, self._memo):
            return
        for value in self._kept[axis]:
            yield from self._walk(axis + 1, self._next(axis, alive, value), (*chosen, value))


@dataclass(frozen=True, slots=True)
class _Starts:
    """Where the combinations of an axis's values begin: those of a few values counted, all others
    having as many each."""

    places: list[int]
    """Of the counted values, rising."""
    starts: list[int]
    ends: list[int]
    rest: int

    @classmethod
    def of(cls, places: list[int], counts: list[int], rest: int) -> _Starts:
        before = accumulate(counts, initial=0)
        starts = [rest * (place - n) + sum_ for n, (place, sum_) in enumerate(zip(places, before))]  # noqa: B905  the last sum is of all
        return cls(places, starts, [s + c for s, c in zip(starts, counts, strict=True)], rest)

    def find(self, position: int) -> tuple[int, int]:
        """The place of the value that a position belongs to, and which of its combinations it is."""
        nth = bisect_right(self.starts, position) - 1
        if nth >= 0 and position < self.ends[nth]:
            return self.places[nth], position - self.starts[nth]
        begin, place = (self.ends[nth], self.places[nth] + 1) if nth >= 0 else (0, 0)
        further, inside = divmod(position - begin, self.rest)
        return place + further, inside
