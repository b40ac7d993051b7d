"""Paints a layout: decodes the images a few at a time and never holds more than those."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from PIL import Image, ImageDraw

from relightflow.images import PNG, BadImage, thumbnail
from relightflow.plugins.sink import Shrink
from relightflow.plugins.source import StaleImage
from relightflow.sinks.contact_sheet.arrange import Tile
from relightflow.sinks.contact_sheet.layout import Layout, PlacedTile
from relightflow.sinks.contact_sheet.text import Face

_PAPER = (246, 246, 246)
_INK = (28, 28, 28)
_FAINT = (110, 110, 110)
_EDGE = (222, 222, 222)
_EMPTY = (233, 233, 233)
_EMPTY_INK = (128, 128, 128)
_THREADS = 2
_WORKERS = 16
"""Threads that wait for workers, and need no core."""
_QUALITY = 90

Read = Callable[[Tile], bytes]
_Thumbnail = Image.Image | str
"""An image scaled to its box, or the word that stands for a missing one."""


def render(layout: Layout, read: Read, kind: str, shrink: Shrink | None = None) -> bytes:
    """The sheet as a file, `kind` being `png` or `jpeg`. The same layout and bytes, the same file.

    `read` gives the bytes of a tile's image and is called in threads. `shrink`: has workers scale results.
    """
    canvas = Image.new("RGB", (layout.width, layout.height), _PAPER)
    draw = ImageDraw.Draw(canvas)
    for words in layout.words:
        colour = _FAINT if words.faint else _INK
        words.face.draw(canvas, draw, (words.x, words.y), words.text, colour)
    width = _WORKERS if shrink else _THREADS
    with ThreadPoolExecutor(width, thread_name_prefix="sheet") as pool:
        for spot, image in _thumbnails(pool, layout, partial(_thumbnail, read, shrink), 2 * width):
            _place(canvas, draw, spot, layout.tile, image)
    out = io.BytesIO()
    if kind == "png":
        canvas.save(out, "PNG", compress_level=6)
    else:
        # full colour resolution: coloured fringes would blur the labels
        canvas.save(out, "JPEG", quality=_QUALITY, subsampling=0, optimize=False)
    return out.getvalue()


def _thumbnails(
    pool: ThreadPoolExecutor,
    layout: Layout,
    make: Callable[[Tile, tuple[int, int]], _Thumbnail],
    ahead: int,
) -> Iterator[tuple[PlacedTile, _Thumbnail]]:
    waiting: deque[tuple[PlacedTile, Future[_Thumbnail]]] = deque()
    for spot in layout.spots:
        waiting.append((spot, pool.submit(make, spot.tile, layout.tile)))
        if len(waiting) > ahead:  # decoded, and not yet pasted
            first, future = waiting.popleft()
            yield first, future.result()
    for first, future in waiting:
        yield first, future.result()


def _thumbnail(read: Read, shrink: Shrink | None, tile: Tile, box: tuple[int, int]) -> _Thumbnail:
    if tile.word:
        return tile.word
    if shrink and tile.result and not tile.original:
        small = shrink(tile.result.sha256, box, PNG)
        if small is not None:
            return Image.open(io.BytesIO(small)).convert("RGB")
    try:
        return Image.fromarray(thumbnail(read(tile), *box))
    except StaleImage:
        return "changed"
    except BadImage:
        return "damaged"


def _place(
    canvas: Image.Image,
    draw: ImageDraw.ImageDraw,
    spot: PlacedTile,
    box: tuple[int, int],
    image: _Thumbnail,
) -> None:
    width, height = box
    if isinstance(image, str):
        draw.rectangle((spot.x, spot.y, spot.x + width - 1, spot.y + height - 1), _EMPTY)
        face = Face(max(11, min(20, width // 10)))
        word = face.fitted(image, width - 4)
        middle = (spot.x + width / 2, spot.y + height / 2)
        face.draw(canvas, draw, middle, word, _EMPTY_INK, "mm")
        return
    x = spot.x + (width - image.width) // 2
    y = spot.y + (height - image.height) // 2
    canvas.paste(image, (x, y))
    # a hairline, so that a white image on white paper still has an edge
    draw.rectangle((x - 1, y - 1, x + image.width, y + image.height), outline=_EDGE)
