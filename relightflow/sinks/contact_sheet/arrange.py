"""Decides what stands where on a sheet: rows, columns, titled blocks. Pure.

Two axes make the grid and all others make blocks; independent repeats are one more axis. Where less
than half of such a grid would be filled (a pairwise sample, hand-picked cells), or only one axis
varies, the images stand in a list instead, each with its own caption and the original first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from relightflow.model.outcome import Result
from relightflow.model.values import FrozenMap, Scalar
from relightflow.plugins.sink import SinkFailed

REPEAT = "repeat"
ORIGINAL = "original"
_NOT_PLANNED = "not planned"
_FILLED = 0.5
"""A grid with fewer planned cells than this is shown as a list."""
_MOST_BLOCK_COLUMNS = 8
_ONE_ROW = 5
"""A list of up to so many images is one row."""
_SEPARATOR = " · "


@dataclass(frozen=True, slots=True)
class SheetImage:
    """One output of the image."""

    values: FrozenMap
    """The cell, and its 1-based `repeat` where there are several."""
    result: Result | None
    word: str = ""
    """Why there is not an image, in a word or two."""


@dataclass(frozen=True, slots=True)
class Tile:
    caption: str = ""
    result: Result | None = None
    word: str = ""
    original: bool = False


@dataclass(frozen=True, slots=True)
class SheetBlock:
    title: str
    rows: tuple[tuple[Tile, ...], ...]


@dataclass(frozen=True, slots=True)
class SheetGrid:
    """Everything below the heading."""

    blocks: tuple[SheetBlock, ...]
    across: int
    """Blocks side by side."""
    rows: tuple[str, ...] = ()
    """One label a row of each block; empty: rows mean nothing."""
    columns: tuple[str, ...] = ()
    row_axis: str = ""
    column_axis: str = ""
    fixed: tuple[str, ...] = ()
    """What all images share, as `light type: softbox`."""
    legend: str = ""
    """What the captions of a list say, in their order."""

    @property
    def listed(self) -> bool:
        """Whether the images stand in a list with captions of their own."""
        return not self.columns


def arrange(
    shots: Sequence[SheetImage],
    axes: Sequence[str],
    known: dict[str, Sequence[Scalar]],
    rows: str = "",
    columns: str = "",
    aspect: float = 1.5,
) -> SheetGrid:
    """A grid of `shots`. `axes`: their order; `known`: the order of an axis's values.

    `rows`, `columns`: the axes asked for, else the first two that vary, the longer one across (a
    sheet is looked at on a screen). `aspect`: width ÷ height of
    a tile. Raises SinkFailed for an axis that the shots do not have.
    """
    values = _values(shots, axes, known)
    for asked in (rows, columns):
        if asked and asked not in values:
            raise SinkFailed(f"unknown axis '{asked}' for a sheet; axes: {', '.join(values)}")
    if rows and rows == columns:
        raise SinkFailed(f"rows and columns of a sheet are both '{rows}': use two different axes")
    varying = [name for name in values if len(values[name]) > 1 or name in (rows, columns)]
    fixed = tuple(_said(name, seen[0]) for name, seen in values.items() if name not in varying)
    free = [name for name in varying if name not in (rows, columns)]
    across = columns or (free.pop(1 if not rows and len(free) > 1 else 0) if free else "")
    down = rows or (free.pop(0) if free else "")
    if down and across and not (rows or columns) and len(values[down]) > len(values[across]):
        down, across = across, down
    total = math.prod(len(values[name]) for name in varying)
    if not (across and down) or len(shots) < _FILLED * total:
        return _list(shots, varying, fixed, aspect)
    return _grid(shots, values, down, across, free, fixed, aspect)


def _values(
    shots: Iterable[SheetImage], axes: Sequence[str], known: dict[str, Sequence[Scalar]]
) -> dict[str, list[Scalar]]:
    """Axis → the values that occur, in the recipe's order, then in that of the plan."""
    seen: dict[str, dict[str, Scalar]] = {name: {} for name in (*axes, REPEAT)}
    for shot in shots:
        for name, found in seen.items():
            value = shot.values.get(name)
            found.setdefault(say(value), value)
    ordered = {}
    for name, found in seen.items():
        first = [say(value) for value in known.get(name, ()) if say(value) in found]
        ordered[name] = [found[text] for text in dict.fromkeys((*first, *found))]
    if ordered[REPEAT] == [None]:
        del ordered[REPEAT]
    return {name: found for name, found in ordered.items() if found}


def _grid(
    shots: Sequence[SheetImage],
    values: dict[str, list[Scalar]],
    down: str,
    across: str,
    groups: list[str],
    fixed: tuple[str, ...],
    aspect: float,
) -> SheetGrid:
    order = (*groups, down, across)
    placed = {tuple(say(shot.values.get(name)) for name in order): shot for shot in shots}
    blocks = []
    for group in product(*(values[name] for name in groups)):
        key = tuple(map(say, group))
        rows = tuple(
            tuple(_tile(placed.get((*key, say(row), say(column)))) for column in values[across])
            for row in values[down]
        )
        if any(tile.word != _NOT_PLANNED for row in rows for tile in row):
            blocks.append(SheetBlock(_SEPARATOR.join(map(_said, groups, group)), rows))
    shape = len(values[across]) * aspect / len(values[down])
    return SheetGrid(
        blocks=tuple(blocks),
        across=_abreast(len(blocks), [len(values[name]) for name in groups], shape),
        rows=tuple(map(say, values[down])),
        columns=tuple(map(say, values[across])),
        row_axis=_spaced(down),
        column_axis=_spaced(across),
        fixed=fixed,
    )


def _list(
    shots: Sequence[SheetImage], varying: Sequence[str], fixed: tuple[str, ...], aspect: float
) -> SheetGrid:
    tiles = [Tile(ORIGINAL, original=True)]
    for shot in shots:
        caption = _SEPARATOR.join(say(shot.values.get(name)) for name in varying)
        tiles.append(Tile(caption or "relit", shot.result, "" if shot.result else shot.word))
    wide = len(tiles) if len(tiles) <= _ONE_ROW else _abreast(len(tiles), [], aspect)
    rows = tuple(tuple(tiles[at : at + wide]) for at in range(0, len(tiles), wide))
    legend = _SEPARATOR.join(map(_spaced, varying))
    return SheetGrid((SheetBlock("", rows),), 1, fixed=fixed, legend=legend)


def _tile(shot: SheetImage | None) -> Tile:
    if shot is None:
        return Tile(word=_NOT_PLANNED)
    return Tile(result=shot.result, word="" if shot.result else shot.word)


def _abreast(count: int, sizes: list[int], shape: float) -> int:
    """How many of `count` equal things, each `shape` wide to 1 high, to put side by side.

    Nested groups keep their last axis in one line; else the whole comes out a little wider than high.
    """
    if len(sizes) > 1 and count == math.prod(sizes) and sizes[-1] <= _MOST_BLOCK_COLUMNS:
        return sizes[-1]

    def misfit(wide: int) -> tuple[float, int]:
        high = math.ceil(count / wide)
        return abs(math.log(wide * shape / high / 1.3)) + 0.15 * (wide * high - count) / wide, wide

    return min(range(1, count + 1), key=misfit)


def say(value: Scalar) -> str:
    """A value as the recipe spells it."""
    if value is None:
        return "default"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spaced(name: str) -> str:
    """An axis's name, for people."""
    return name.replace("_", " ")


def _said(name: str, value: Scalar) -> str:
    return f"{_spaced(name)}: {say(value)}"
