from __future__ import annotations

from itertools import combinations, product

import pytest

from relightflow.model.values import FrozenMap
from relightflow.plugins.sink import SinkFailed
from relightflow.sinks.contact_sheet.arrange import SheetImage, arrange
from relightflow.sinks.contact_sheet.layout import MAX_PIXELS, Heading, Layout, lay_out

HEADING = Heading("photos/still-life.jpg", ("spring · preview", "1024 × 683 px"))
LONG = "a value with a name that is far too long to stand above a small image"
Box = tuple[int, int, int, int]


def sheet(
    *counts: int, size: tuple[int, int] = (1024, 683), tile: int | None = None, value: str = "v"
) -> Layout:
    axes = [f"axis_{n}" for n in range(len(counts))]
    cells = product(*([f"{value}{k}" for k in range(count)] for count in counts))
    shots = [
        SheetImage(FrozenMap(dict(zip(axes, cell, strict=True))), None, "failed") for cell in cells
    ]
    return lay_out(arrange(shots, axes, {}, aspect=size[0] / size[1]), HEADING, size, tile)


def boxes(layout: Layout) -> list[Box]:
    width, height = layout.tile
    images = [(s.x, s.y, s.x + width, s.y + height) for s in layout.spots]
    words = [
        (w.x, w.y, w.x + w.face.width(w.text), w.y + w.face.line) for w in layout.words if w.text
    ]
    return images + words


SHAPES = [(), (1,), (4,), (9,), (4, 4), (2, 1, 3), (4, 4, 4), (4, 4, 4, 4), (1, 12), (12, 2)]
SIZES = [(1024, 683), (3000, 400), (300, 1200), (1, 1), (40, 30), (500, 500)]


@pytest.mark.parametrize("value", ["v", LONG])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("counts", SHAPES)
def test_nothing_overlaps_or_leaves_the_sheet(
    counts: tuple[int, ...], size: tuple[int, int], value: str
) -> None:
    layout = sheet(*counts, size=size, value=value)
    found = boxes(layout)
    assert all(x0 >= 0 and y0 >= 0 for x0, y0, _, _ in found)
    assert all(x1 <= layout.width and y1 <= layout.height for _, _, x1, y1 in found)
    for a, b in combinations(found, 2):
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, (a, b)


@pytest.mark.parametrize("counts", [(4, 4), (4, 4, 4), (4, 4, 4, 4)])
def test_a_sheet_is_wide_enough_for_a_sharp_readme_and_not_much_more(
    counts: tuple[int, ...],
) -> None:
    assert 1600 <= sheet(*counts).width <= 3600


def test_images_are_never_shown_larger_than_they_are() -> None:
    assert sheet(2, 2, size=(200, 100)).tile == (200, 100)


def test_a_tile_size_that_is_asked_for_is_the_longer_side() -> None:
    assert sheet(4, 4, tile=300).tile == (300, 200)
    assert sheet(4, 4, size=(400, 800), tile=300).tile == (150, 300)


def test_a_sheet_that_would_be_too_large_is_made_of_smaller_images() -> None:
    layout = sheet(100, 30, tile=1000)
    assert layout.width * layout.height <= MAX_PIXELS
    assert layout.tile[0] < 1000


def test_too_many_images_for_one_sheet_are_told() -> None:
    with pytest.raises(SinkFailed, match="too many for one sheet"):
        sheet(400, 200)


def test_untrusted_words_are_safe_to_draw() -> None:
    layout = sheet(2, 2, value="a\x1b[31m\n\u202eb")
    texts = {words.text for words in layout.words}
    assert r"a\x1b[31m\x0ab0" in texts
    assert not any(char in text for text in texts for char in "\x1b\n\u202e")
