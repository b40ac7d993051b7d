"""Paints a layout: decodes the pictures a few at a time and never holds more than those."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from PIL import Image, ImageDraw

from relightflow.pictures import BadPicture, thumbnail
from relightflow.plugins.source import StaleImage
from relightflow.sinks.contact_sheet.arrange import Tile
from relightflow.sinks.contact_sheet.layout import Layout, Spot
from relightflow.sinks.contact_sheet.text import Face

_PAPER = (246, 246, 246)
_INK = (28, 28, 28)
_FAINT = (110, 110, 110)
_EDGE = (222, 222, 222)
_EMPTY = (233, 233, 233)
_EMPTY_INK = (128, 128, 128)
_THREADS = 2
_AHEAD = 4
"""Pictures that may be decoded and not yet pasted."""
_QUALITY = 90

Read = Callable[[Tile], bytes]
Picture = Image.Image | str
"""A picture scaled to its box, or the word that stands for a missing one."""


def paint(layout: Layout, read: Read, kind: str) -> bytes:
    """The sheet as a file, `kind` being `png` or `jpeg`. The same layout and bytes, the same file.

    `read` gives the bytes of a tile's picture and is called in threads.
    """
    canvas = Image.new("RGB", (layout.width, layout.height), _PAPER)
    draw = ImageDraw.Draw(canvas)
    for words in layout.words:
        colour = _FAINT if words.faint else _INK
        draw.text((words.x, words.y), words.text, font=words.face.font, fill=colour)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="sheet") as pool:
        for spot, picture in _pictures(pool, layout, read):
            _place(canvas, draw, spot, layout.tile, picture)
    out = io.BytesIO()
    if kind == "png":
        canvas.save(out, "PNG", compress_level=6)
    else:
        # full colour resolution: coloured fringes would blur the labels
        canvas.save(out, "JPEG", quality=_QUALITY, subsampling=0, optimize=False)
    return out.getvalue()


def _pictures(
    pool: ThreadPoolExecutor, layout: Layout, read: Read
) -> Iterator[tuple[Spot, Picture]]:
    waiting: deque[tuple[Spot, Future[Picture]]] = deque()
    for spot in layout.spots:
        waiting.append((spot, pool.submit(_picture, spot.tile, layout.tile, read)))
        if len(waiting) > _AHEAD:
            first, future = waiting.popleft()
            yield first, future.result()
    for first, future in waiting:
        yield first, future.result()


def _picture(tile: Tile, box: tuple[int, int], read: Read) -> Picture:
    if tile.word:
        return tile.word
    try:
        return Image.fromarray(thumbnail(read(tile), *box))
    except StaleImage:
        return "changed"
    except BadPicture:
        return "damaged"


def _place(
    canvas: Image.Image,
    draw: ImageDraw.ImageDraw,
    spot: Spot,
    box: tuple[int, int],
    picture: Picture,
) -> None:
    width, height = box
    if isinstance(picture, str):
        draw.rectangle((spot.x, spot.y, spot.x + width - 1, spot.y + height - 1), _EMPTY)
        face = Face(max(11, min(20, width // 10)))
        word = face.fitted(picture, width - 4)
        middle = (spot.x + width / 2, spot.y + height / 2)
        draw.text(middle, word, font=face.font, fill=_EMPTY_INK, anchor="mm")
        return
    x = spot.x + (width - picture.width) // 2
    y = spot.y + (height - picture.height) // 2
    canvas.paste(picture, (x, y))
    # a hairline, so that a white picture on white paper still has an edge
    draw.rectangle((x - 1, y - 1, x + picture.width, y + picture.height), outline=_EDGE)
