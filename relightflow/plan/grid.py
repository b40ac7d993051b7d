"""The combinations of the axes that `exclude` leaves: counted and found without building them.

A combination is a tuple of value indexes, one an axis, the first axis outermost. `exclude` matches
partially. Patterns that can still match are one bit each in an integer; choosing a value clears the
bits that it contradicts. Subtrees in which the same patterns are alive are the same, so each is
counted once: a grid of 10¹² combinations costs a few steps, as long as its patterns overlap little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod

from relightflow.model.recipe import Axis
from relightflow.model.values import Parameters, Scalar
from relightflow.plan.spelling import spell

MOST_BYTES = 64 * 1024 * 1024
"""Memory for counting. Only hundreds of overlapping patterns over many axes come near it."""

MOST_STEPS = 10_000_000
"""Work for all counting of one grid, some seconds; an honest recipe needs a few thousand."""

Combination = tuple[int, ...]


class Tangled(Exception):
    """The patterns overlap so much that counting what they leave is out of reach."""


class Grid:
    """All methods are deterministic; nothing but memory of counts changes. Raises `Tangled` where counting is out of reach."""

    def __init__(self, axes: Sequence[Axis], exclude: Sequence[Parameters] = ()) -> None:
        self.names = tuple(axis.name for axis in axes)
        self.values = tuple(axis.values for axis in axes)
        self._sizes = tuple(len(axis.values) for axis in axes)
        self._below = tuple(prod(self._sizes[i:]) for i in range(len(axes) + 1))
        self._index = {
            axis.name: {spell(value): i for i, value in enumerate(axis.values)} for axis in axes
        }
        self.distinct = all(len(self._index[a.name]) == len(a.values) for a in axes)
        """No axis has a value twice."""
        found = (self.pattern(entry) for entry in exclude)
        self._learn([p for p in found if p is not None])
        self.total = self.count()

    def _learn(self, patterns: list[dict[int, int]]) -> None:
        """For each axis: the bits of patterns that do not name it, that want a value of it, and
        that are matched whole before it."""
        self.excludes = bool(patterns)
        self._all = (1 << len(patterns)) - 1
        self._free = [0] * len(self.names)
        self._wants: list[dict[int, int]] = [{} for _ in self.names]
        self._done = [0] * (len(self.names) + 1)
        for bit, pattern in enumerate(patterns):
            self._done[max(pattern, default=-1) + 1] |= 1 << bit
            for axis in range(len(self.names)):
                if axis in pattern:
                    wants = self._wants[axis]
                    wants[pattern[axis]] = wants.get(pattern[axis], 0) | 1 << bit
                else:
                    self._free[axis] |= 1 << bit
        self._steps = 0
        self._memo: dict[tuple[int, int], int] = {}

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
        if not fixed:
            return self._count(0, self._all, {}, self._memo)
        return self._count(0, self._all, fixed, {})

    def __iter__(self) -> Iterator[Combination]:
        return self._walk(0, self._all, ())

    def at(self, position: int) -> Combination:
        """The combination at `position`, counted from 0 in plan order."""
        chosen: Combination = ()
        alive = self._all
        for axis in range(len(self.names)):
            if not alive:
                value, position = divmod(position, self._below[axis + 1])
            else:
                value = 0
                while True:
                    inside = self._count(axis + 1, self._next(axis, alive, value), {}, self._memo)
                    if position < inside:
                        break
                    position -= inside
                    value += 1
                alive = self._next(axis, alive, value)
            chosen += (value,)
        return chosen

    def _next(self, axis: int, alive: int, value: int) -> int:
        return alive & (self._free[axis] | self._wants[axis].get(value, 0))

    def _count(
        self, axis: int, alive: int, fixed: Mapping[int, int], memo: dict[tuple[int, int], int]
    ) -> int:
        if alive & self._done[axis]:
            return 0
        if not alive:
            return prod(1 if i in fixed else self._sizes[i] for i in range(axis, len(self._sizes)))
        if (axis, alive) not in memo:
            self._steps += 1
            if self._steps > MOST_STEPS or len(memo) * (alive.bit_length() // 8 + 200) > MOST_BYTES:
                raise Tangled
            if axis in fixed:
                memo[axis, alive] = self._count(
                    axis + 1, self._next(axis, alive, fixed[axis]), fixed, memo
                )
            else:
                wanted = [v for v, bits in self._wants[axis].items() if bits & alive]
                rest = self._count(axis + 1, alive & self._free[axis], fixed, memo)
                memo[axis, alive] = rest * (self._sizes[axis] - len(wanted)) + sum(
                    self._count(axis + 1, self._next(axis, alive, v), fixed, memo) for v in wanted
                )
        return memo[axis, alive]

    def _walk(self, axis: int, alive: int, chosen: Combination) -> Iterator[Combination]:
        if not alive:
            for rest in product(*map(range, self._sizes[axis:])):
                yield chosen + rest
            return
        if not self._count(axis, alive, {}, self._memo):
            return
        for value in range(self._sizes[axis]):
            yield from self._walk(axis + 1, self._next(axis, alive, value), (*chosen, value))
