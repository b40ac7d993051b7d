"""Gives everything on a sheet its place in pixels. Pure, but for asking how wide a text is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from relightflow.plugins.sink import SinkFailed
from relightflow.sinks.contact_sheet.arrange import SheetBlock, SheetGrid, Tile
from relightflow.sinks.contact_sheet.text import Face, drawable

MAX_PIXELS = 60_000_000
"""180 MB of canvas: what a sheet may take in memory."""
_SMALLEST = 32
_WIDE = 2400
"""Pixels that a sheet's tiles are to fill, if they can: twice what a README shows."""
_TILE = (120, 420)


@dataclass(frozen=True, slots=True)
class Heading:
    """The words at the top."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _TextLine:
    """One line of text."""

    x: int
    y: int
    """Of the line's top."""
    text: str
    face: Face
    faint: bool = False


@dataclass(frozen=True, slots=True)
class PlacedTile:
    """A rectangle for one image."""

    x: int
    y: int
    tile: Tile


@dataclass(frozen=True, slots=True)
class Layout:
    width: int
    height: int
    tile: tuple[int, int]
    """Width and height of every image's box."""
    words: tuple[_TextLine, ...]
    spots: tuple[PlacedTile, ...]


@dataclass(frozen=True, slots=True)
class Measures:
    """Sizes that follow from the size of a tile."""

    tile: tuple[int, int]
    cell: int
    """Width of a column: that of a tile, or of its label where that is wider."""
    label: Face
    gap: int
    """Between images."""
    margin: int
    side: int
    """Width of the row labels, their gap included."""
    caption: int
    """Lines of text under each image."""

    @property
    def title(self) -> Face:
        return Face(round(self.label.size * 1.6), medium=True)

    @property
    def block_title(self) -> Face:
        return Face(round(self.label.size * 1.1), medium=True)

    @property
    def axis(self) -> Face:
        return Face(max(11, round(self.label.size * 0.86)))

    @property
    def high(self) -> int:
        """Height of a row: that of a tile, or of its label where that is higher."""
        return max(self.tile[1], self.label.line)

    @property
    def step(self) -> int:
        """From the top of one row to the next."""
        under = self.label.line * self.caption + round(1.3 * self.gap) if self.caption else 0
        return self.high + self.gap + under


def lay_out(
    grid: SheetGrid, heading: Heading, size: tuple[int, int], tile: int | None = None
) -> Layout:
    """`size`: width and height of the images; they are never shown larger. `tile`: the longer side
    of an image's box, else as large as the sheet allows.

    Raises SinkFailed where the images would be too many to be seen on one sheet.
    """
    grid = _drawable(grid)
    aspect = min(4.0, max(0.25, size[0] / size[1]))
    columns = max(len(row) for block in grid.blocks for row in block.rows)
    side = tile or _automatic(aspect, columns * grid.across)
    box = _box(aspect, min(side, max(size)))
    images = sum(len(row) for block in grid.blocks for row in block.rows)
    while True:
        if images * box[0] * box[1] <= MAX_PIXELS:  # else they need not be placed to know
            layout = _placed(grid, heading, _measures(grid, box, columns))
            if layout.width * layout.height <= MAX_PIXELS:
                return layout
        box = (round(box[0] * 0.9), round(box[1] * 0.9))
        if max(box) < _SMALLEST:
            raise SinkFailed(
                f"{images:,} images are too many for one sheet: select fewer cells, or "
                "remove the contact sheet"
            )


def _drawable(grid: SheetGrid) -> SheetGrid:
    """`grid` with its words, which come from a recipe, made safe to draw."""
    blocks = tuple(
        SheetBlock(drawable(b.title), tuple(tuple(map(_captioned, row)) for row in b.rows))
        for b in grid.blocks
    )
    return SheetGrid(
        blocks=blocks,
        across=grid.across,
        rows=tuple(map(drawable, grid.rows)),
        columns=tuple(map(drawable, grid.columns)),
        row_axis=drawable(grid.row_axis),
        column_axis=drawable(grid.column_axis),
        fixed=tuple(map(drawable, grid.fixed)),
        legend=drawable(grid.legend),
    )


def _captioned(tile: Tile) -> Tile:
    return replace(tile, caption=drawable(tile.caption)) if tile.caption else tile


def _box(aspect: float, longest: int) -> tuple[int, int]:
    if aspect >= 1:
        return longest, max(1, round(longest / aspect))
    return max(1, round(longest * aspect)), longest


def _automatic(aspect: float, columns: int) -> int:
    """The longer side: about the same area for every shape of image, no wider than there is room."""
    room = max(_TILE[0], _WIDE / columns)
    side = min(_TILE[1], room)
    if aspect >= 1:
        return round(min(side * math.sqrt(aspect), room))
    return round(min(side / math.sqrt(aspect), 1.3 * _TILE[1]))


def _measures(grid: SheetGrid, tile: tuple[int, int], columns: int) -> Measures:
    wide = tile[0] * columns * grid.across
    size = round(min(26, max(13, min(wide / 70, tile[0] / 7.5))))
    label = Face(size)
    names = [label.width(text) for text in grid.columns]
    cell = max([tile[0], *(min(width, round(5.5 * size)) for width in names)])
    axis = Face(max(11, round(size * 0.86)))
    side = 0
    if grid.rows:
        widest = max(label.width(text) for text in grid.rows)
        side = min(max(widest, axis.width(grid.row_axis)), 11 * size) + size
    gap = max(3, round(min(tile) / 28))
    if grid.listed:
        cell, gap = max(cell, 7 * size), round(1.6 * gap)
    captions = [t.caption for block in grid.blocks for row in block.rows for t in row]
    most = max((len(label.lines(text, cell, 3)) for text in captions if text), default=0)
    return Measures(tile, cell, label, gap, round(size * 2.2), side, most)


def _placed(grid: SheetGrid, heading: Heading, m: Measures) -> Layout:
    words: list[_TextLine] = []
    spots: list[PlacedTile] = []
    top = m.margin
    across = grid.across
    block_width = (
        m.side + max(len(r) for b in grid.blocks for r in b.rows) * (m.cell + m.gap) - m.gap
    )
    apart = round(m.label.size * 2.4)
    inner = max(block_width * across + apart * (across - 1), 16 * m.label.size)
    top = _head(heading, grid, m, inner, words, spots)
    for start in range(0, len(grid.blocks), across):
        bottom = top
        for location, block in enumerate(grid.blocks[start : start + across]):
            left = m.margin + location * (block_width + apart)
            bottom = max(bottom, _block(block, grid, m, left, top, block_width, words, spots))
        top = bottom + apart
    height = top - apart + m.margin
    return Layout(inner + 2 * m.margin, height, m.tile, tuple(words), tuple(spots))


def _head(
    heading: Heading,
    grid: SheetGrid,
    m: Measures,
    width: int,
    words: list[_TextLine],
    spots: list[PlacedTile],
) -> int:
    """Original and words side by side; where the grid begins."""
    left, top = m.margin, m.margin
    beside = 0
    if not grid.listed:
        spots.append(PlacedTile(left, top, Tile("original", original=True)))
        words.append(_TextLine(left, top + m.tile[1] + m.gap, "original", m.label, faint=True))
        beside = m.tile[1] + m.gap + m.label.line
        left += max(m.tile[0], m.label.width("original")) + round(m.label.size * 1.4)
    room = m.margin + width - left
    if room < 14 * m.label.size:  # too narrow for words beside the image: below it
        left, room, y = m.margin, width, top + beside + (m.gap if beside else 0)
    else:
        y = top - round(m.title.size * 0.2)  # a capital's top in line with the image's
    for line in m.title.lines(heading.title, room, 2):
        words.append(_TextLine(left, y, line, m.title))
        y += m.title.line
    for text in filter(None, (*heading.lines, *grid.fixed, grid.legend)):
        words.append(_TextLine(left, y, m.label.fitted(text, room), m.label, faint=True))
        y += m.label.line
    return max(y, top + beside) + round(m.label.size * 1.6)


def _block(
    block: SheetBlock,
    grid: SheetGrid,
    m: Measures,
    left: int,
    top: int,
    width: int,
    words: list[_TextLine],
    spots: list[PlacedTile],
) -> int:
    """One block's words and images; returns where it ends."""
    if block.title:
        for line in m.block_title.lines(block.title, width, 2):
            words.append(_TextLine(left, top, line, m.block_title))
            top += m.block_title.line
        top += m.gap
    x0 = left + m.side
    if grid.columns:
        words.append(
            _TextLine(x0, top, m.axis.fitted(grid.column_axis, width - m.side), m.axis, True)
        )
        top += m.axis.line
        drop = m.label.line - m.axis.line
        name = m.axis.fitted(grid.row_axis, m.side - m.gap)
        words.append(_TextLine(left, top + drop, name, m.axis, True))
        for at, text in enumerate(grid.columns):
            fitted = m.label.fitted(text, m.cell)
            words.append(_TextLine(x0 + at * (m.cell + m.gap), top, fitted, m.label))
        top += m.label.line + m.gap // 2
    for index, row in enumerate(block.rows):
        if grid.rows:
            middle = top + max(0, m.tile[1] - m.label.line) // 2
            fitted = m.label.fitted(grid.rows[index], m.side - m.gap)
            words.append(_TextLine(left, middle, fitted, m.label))
        for at, tile in enumerate(row):
            x = x0 + at * (m.cell + m.gap)
            spots.append(PlacedTile(x, top, tile))
            for number, line in enumerate(m.label.lines(tile.caption, m.cell, 3)):
                if tile.caption:
                    y = top + m.high + m.gap // 2 + number * m.label.line
                    words.append(_TextLine(x, y, line, m.label, faint=tile.original))
        top += m.step
    return top - m.gap
