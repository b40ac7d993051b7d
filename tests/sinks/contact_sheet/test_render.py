"""Layouts made by hand, painted and read back pixel by pixel."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from PIL import Image

from relightflow.images import BadImage, encode
from relightflow.plugins.source import StaleImage
from relightflow.sinks.contact_sheet.arrange import Tile
from relightflow.sinks.contact_sheet.layout import Layout, PlacedTile
from relightflow.sinks.contact_sheet.render import Read, render

RED = (200, 0, 0)
PAPER, EMPTY, EDGE = (246, 246, 246), (233, 233, 233), (222, 222, 222)


def picture(width: int, height: int) -> bytes:
    return encode(np.full((height, width, 3), RED, np.uint8), "image/png")


def layout(*tiles: Tile) -> Layout:
    """Boxes of 40 × 30 pixels, 10 apart."""
    spots = tuple(PlacedTile(10 + 50 * n, 10, tile) for n, tile in enumerate(tiles))
    return Layout(20 + 50 * len(tiles), 50, (40, 30), (), spots)


def painted(sheet: Layout, read: Read) -> Image.Image:
    return Image.open(io.BytesIO(render(sheet, read, "png")))


def test_an_image_is_scaled_into_the_middle_of_its_box_with_a_hairline_around() -> None:
    sheet = painted(layout(Tile()), lambda _: picture(80, 20))  # becomes 40 × 10
    assert sheet.getpixel((30, 25)) == RED
    assert sheet.getpixel((10, 20)) == RED
    assert sheet.getpixel((30, 19)) == EDGE
    assert sheet.getpixel((30, 12)) == PAPER


@pytest.mark.parametrize("problem", [StaleImage("changed"), BadImage("damaged")])
def test_an_image_that_cannot_be_shown_leaves_a_neutral_tile_and_the_others(
    problem: Exception,
) -> None:
    def read(tile: Tile) -> bytes:
        if tile.caption == "bad":
            raise problem
        return picture(40, 30)

    sheet = painted(layout(Tile("bad"), Tile("good")), read)
    assert sheet.getpixel((11, 11)) == EMPTY
    assert sheet.getpixel((80, 25)) == RED


def test_a_word_stands_for_an_image_and_nothing_is_read() -> None:
    sheet = painted(layout(Tile(word="failed")), lambda _: pytest.fail("read"))
    assert sheet.getpixel((11, 11)) == EMPTY
    box = np.asarray(sheet.crop((10, 10, 50, 40)).convert("L"))
    assert box.min() < 233, "the word is written"


def test_any_other_fault_of_reading_is_not_swallowed() -> None:
    def read(_: Tile) -> bytes:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        render(layout(Tile()), read, "png")


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("jpeg", b"\xff\xd8")])
def test_the_same_sheet_has_the_same_bytes(kind: str, start: bytes) -> None:
    sheet = layout(*(Tile(str(n)) for n in range(9)))
    one, other = (render(sheet, lambda _: picture(50, 50), kind) for _ in range(2))
    assert one == other
    assert one.startswith(start)


def test_two_images_are_read_at_a_time_each_once() -> None:
    lock, now, most, seen = threading.Lock(), [0], [0], []
    pair = threading.Barrier(2, timeout=20)

    def read(tile: Tile) -> bytes:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            seen.append(tile.caption)
        pair.wait()
        data = picture(40, 30)
        with lock:
            now[0] -= 1
        return data

    render(layout(*(Tile(str(n)) for n in range(40))), read, "png")
    assert most[0] == 2
    assert sorted(seen, key=int) == [str(n) for n in range(40)]
