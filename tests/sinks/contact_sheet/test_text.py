from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image, ImageDraw, ImageOps

from relightflow.sinks.contact_sheet import fallback
from relightflow.sinks.contact_sheet.text import Face, drawable, fonts_of
from tests.sinks.contact_sheet.fontfile import font

FACE = Face(20)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("left", "left"),
        ("Österreich, Ελλάδα, Москва – 5 × 3", "Österreich, Ελλάδα, Москва – 5 × 3"),
        ("e\u0301te", "éte"),
        ("  two\u00a0 \u2028spaces ", "two spaces"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\nb\x00c\x7f", r"a\x0ab\x00c\x7f"),
        ("gpj\u202e.exe\u200f\u200b", "gpj.exe"),
        ("\u0378\ue000", r"\u0378\ue000"),
        ("\udcff", r"\udcff"),
        ("", ""),
    ],
)
def test_only_what_can_be_seen_is_drawn(text: str, shown: str) -> None:
    assert drawable(text) == shown


def test_a_very_long_text_is_cut_before_anything_is_measured() -> None:
    assert len(drawable("x" * 1_000_000)) == 400


def test_a_text_that_fits_stays_whole() -> None:
    assert FACE.fitted("golden_hour", 500) == "golden_hour"


@pytest.mark.parametrize("width", [12, 40, 80, 160])
def test_a_text_that_does_not_fit_loses_its_middle(width: int) -> None:
    text = "a long name of an image that was taken in 2026.jpg"
    fitted = FACE.fitted(text, width)
    assert FACE.width(fitted) <= width
    assert "…" in fitted
    start, end = fitted.split("…")
    assert text.startswith(start)
    assert text.endswith(end)


def test_lines_break_at_spaces_and_the_last_is_shortened() -> None:
    lines = FACE.lines("one two three four five six seven eight", 100, 2)
    assert len(lines) == 2
    assert lines[0] == "one two"
    assert all(FACE.width(line) <= 100 for line in lines)
    assert lines[1].endswith("eight"[-3:])


@pytest.fixture
def japanese(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "Japanese.ttf"
    path.write_bytes(font("日本語", width=900))
    with fallback.named([path], {}):
        yield path


def test_what_a_found_font_has_is_drawn_as_it_is(japanese: Path) -> None:
    assert drawable("日本語.jpg") == "日本語.jpg"
    assert drawable("日\ufe0f本") == "日本"
    assert fonts_of("日本 a") == ["Japanese.ttf", fonts_of("日")[-1]]
    assert fonts_of("Österreich") == []


def test_each_piece_is_as_wide_as_its_font_says(japanese: Path) -> None:
    face = Face(100)
    assert face.width("日本") == 180
    assert face.width("日a") == 90 + face.width("a")
    assert face.width(face.fitted("日本語日本語日本語.jpg", 400)) <= 400


@pytest.mark.parametrize("anchor", ["la", "mm"])
def test_letters_of_two_fonts_stand_on_one_line(
    japanese: Path, anchor: Literal["la", "mm"]
) -> None:
    canvas = Image.new("RGB", (400, 200), "white")
    place = (10, 20) if anchor == "la" else (200, 100)
    Face(50).draw(canvas, ImageDraw.Draw(canvas), place, "H日H", (0, 0, 0), anchor)
    ink = ImageOps.invert(canvas.convert("L"))
    left, _, right, _ = ink.getbbox() or (0, 0, 0, 0)
    assert abs((right - left) - Face(50).width("H日H")) < 12
    letter = ink.crop((left, 0, left + 20, 200)).getbbox()
    box = ink.crop((left + 45, 0, left + 65, 200)).getbbox()
    assert letter
    assert box
    assert letter[3] == box[3]  # the base line


def test_a_text_of_the_usual_font_is_drawn_as_ever() -> None:
    pictures = []
    for way in (0, 1):
        canvas = Image.new("RGB", (200, 60), "white")
        pen = ImageDraw.Draw(canvas)
        if way:
            Face(30).draw(canvas, pen, (5, 5), "Ελλάδα 5 ×", (0, 0, 0))
        else:
            pen.text((5, 5), "Ελλάδα 5 ×", font=Face(30).font, fill=(0, 0, 0))
        pictures.append(canvas.tobytes())
    assert pictures[0] == pictures[1]


def test_a_name_from_right_to_left_keeps_its_extension_at_the_right(tmp_path: Path) -> None:
    path = tmp_path / "Hebrew.ttf"
    path.write_bytes(font("שלום", width=900))
    with fallback.named([path], {}):
        canvas = Image.new("RGB", (600, 100), "white")
        assert drawable("שלום.png") == "שלום.png"
        Face(50).draw(canvas, ImageDraw.Draw(canvas), (0, 0), "שלום.png", (0, 0, 0))
    ink = ImageOps.invert(canvas.convert("L"))
    boxes = ink.crop((0, 0, 180, 100))
    assert sum(boxes.histogram()[200:]) > 3 * sum(ink.crop((180, 0, 600, 100)).histogram()[200:])
