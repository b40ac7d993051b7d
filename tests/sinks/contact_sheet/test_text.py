from __future__ import annotations

import pytest

from relightflow.sinks.contact_sheet.text import Face, drawable

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
        ("日本", r"\u65e5\u672c"),
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
