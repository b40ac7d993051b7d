"""GitHub Actions' matrix rules: axes, then `exclude`, then `include`.

Source: docs.github.com, "Workflow syntax for GitHub Actions", jobs.<job_id>.strategy.matrix. The
first axis is outermost. An `include` is added to every original combination in which it would
change no original value (it may change what earlier includes added); one that fits nowhere is a
cell of its own, which later includes never extend.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from relightflow.model.recipe import Matrix
from relightflow.model.values import FrozenMap, Parameters, Scalar
from relightflow.plan.grid import Combination, Grid


@dataclass(slots=True)
class _Added:
    """A parameter that includes with the same axis values bring: where it stands first, which gives
    its order in the cell, and the last place, whose value holds. So a thousand includes of one cell
    cost what one costs."""

    first: tuple[int, int]
    """Place in the recipe's list, place in the entry."""
    last: int
    value: Scalar


class Cells(Sequence[Parameters]):
    """Every cell of a matrix, in plan order, each made when it is asked for.

    `total` is the exact number also where it is beyond what `len` can say. Raises `Tangled`.
    """

    def __init__(self, matrix: Matrix) -> None:
        self.grid = Grid(matrix.axes, matrix.exclude)
        self.originals = self.grid.total if matrix.axes or not matrix.include else 0
        self.warnings: list[tuple[str, str]] = []
        """Path in the recipe, and what is allowed there and probably not meant."""
        self._extending: dict[tuple[int, ...], dict[Combination, dict[str, _Added]]] = {}
        extras = []
        for place, entry in enumerate(matrix.include):
            if not self._extends(place, entry):
                extras.append(entry)
        self.extras = tuple(extras)
        self.total = self.originals + len(extras)
        self.names = _names(matrix)

    def _extends(self, place: int, entry: Parameters) -> bool:
        """Note an include under the values it needs; False where no combination has them."""
        pattern = self.grid.pattern(entry)
        touched = self.grid.count(pattern) if pattern is not None and self.originals else 0
        if pattern is None or not touched:
            return False
        if touched == self.originals > 1:
            self.warnings.append(
                (
                    f"matrix.include[{place}]",
                    f"extends all {touched} cells; to add a cell instead, use a value that no "
                    "axis has",
                )
            )
        by_values = self._extending.setdefault(tuple(pattern), {})
        known = by_values.setdefault(tuple(pattern.values()), {})
        for nth, (name, value) in enumerate(entry.items()):
            if name in known:
                known[name].last, known[name].value = place, value
            elif name not in self.grid.names:
                known[name] = _Added((place, nth), place, value)
        return True

    def __len__(self) -> int:
        return self.total

    @overload
    def __getitem__(self, index: int) -> Parameters: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Parameters]: ...
    def __getitem__(self, index: int | slice) -> Parameters | Sequence[Parameters]:
        if isinstance(index, slice):
            return Picked(self, range(self.total)[index])
        position = range(self.total)[index]
        if position >= self.originals:
            return self.extras[position - self.originals]
        return self.cell(self.grid.at(position))

    def __iter__(self) -> Iterator[Parameters]:
        if self.originals:
            yield from map(self.cell, self.grid)
        yield from self.extras

    def cell(self, chosen: Combination) -> Parameters:
        """An original combination with all that `include` adds to it."""
        grid = self.grid
        cell: dict[str, Scalar] = {
            name: values[i] for name, values, i in zip(grid.names, grid.values, chosen, strict=True)
        }
        if self._extending:
            matching = (
                by_values.get(tuple(chosen[axis] for axis in axes))
                for axes, by_values in self._extending.items()
            )
            cell |= _together([added for added in matching if added])
        return FrozenMap(cell)


def _together(matching: list[dict[str, _Added]]) -> dict[str, Scalar]:
    """What several groups of includes bring: of each parameter the latest value, in the order in
    which the recipe names them first."""
    if len(matching) == 1:
        return {name: added.value for name, added in matching[0].items()}
    first: dict[str, tuple[int, int]] = {}
    latest: dict[str, _Added] = {}
    for group in matching:
        for name, added in group.items():
            first[name] = min(first.get(name, added.first), added.first)
            if name not in latest or latest[name].last < added.last:
                latest[name] = added
    return {name: latest[name].value for name in sorted(latest, key=first.__getitem__)}


class Picked(Sequence[Parameters]):
    """Some cells of a matrix, in plan order; only their positions are held."""

    def __init__(self, cells: Cells, positions: Sequence[int]) -> None:
        self.cells = cells
        self.positions = positions

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, index: int) -> Parameters: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Parameters]: ...
    def __getitem__(self, index: int | slice) -> Parameters | Sequence[Parameters]:
        if isinstance(index, slice):
            return Picked(self.cells, self.positions[index])
        return self.cells[self.positions[index]]


def _names(matrix: Matrix) -> tuple[str, ...]:
    """The axes, then what only includes bring, each in the recipe's order."""
    names: dict[str, None] = dict.fromkeys(axis.name for axis in matrix.axes)
    for entry in matrix.include:
        names.update(dict.fromkeys(entry))
    return tuple(names)


def pick(cells: Sequence[Parameters], positions: Iterable[int]) -> Sequence[Parameters]:
    """The cells at `positions`, as small as can be held."""
    if isinstance(cells, Picked):
        return Picked(cells.cells, _packed(cells.positions[i] for i in positions))
    if isinstance(cells, Cells):
        return Picked(cells, _packed(positions))
    return tuple(cells[i] for i in positions)


def _packed(positions: Iterable[int]) -> Sequence[int]:
    """Eight bytes a position, or fewer where they are a range already."""
    return positions if isinstance(positions, range) else array("Q", positions)
