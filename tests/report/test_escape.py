import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.report import escape


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name.png", "plain name.png"),
        ("größe 日本語.png", "größe 日本語.png"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("a\u2066b\u200fc\u061cd", "a\\u2066b\\u200fc\\u061cd"),
        ("\x9b31m", "\\x9b31m"),
        ("\u2028", "\\u2028"),
        ("\udcff.png", "\\xff.png"),
        ("\U000e0041", "\\U000e0041"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_what_a_terminal_would_obey_becomes_visible(text: str, shown: str) -> None:
    assert escape.terminal(text) == shown


@given(st.text())
def test_whatever_the_text_one_printable_line_is_left(text: str) -> None:
    shown = escape.terminal(text).replace("\u200c", "").replace("\u200d", "")
    assert {unicodedata.category(letter)[0] for letter in shown} <= set("LMNPSZ")
    assert len(shown.splitlines()) <= 1


def test_text_of_ours_keeps_its_lines() -> None:
    assert escape.lines("one\ntwo\x1b") == "one\ntwo\\x1b"


@pytest.mark.parametrize(
    "line",
    [
        "::error file=a::b",
        "  ::add-mask::x",
        "text\n::set-output name=a::b",
        "##[error]x",
        "a ##[x]",
    ],
)
def test_a_log_line_holds_no_command_of_the_runner(line: str) -> None:
    shown = escape.github(line)
    assert not any(part.lstrip().startswith("::") for part in shown.split("\n"))
    assert "##[" not in shown


def test_ordinary_log_lines_stay_as_they_are() -> None:
    assert escape.github("a::b, C++ a :: b") == "a::b, C++ a :: b"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1"])
def test_a_cell_of_csv_is_never_a_formula(text: str) -> None:
    assert escape.csv(text) == "'" + text


def test_an_ordinary_cell_of_csv_stays() -> None:
    assert escape.csv("shoe-1=a.png") == "shoe-1=a.png"


def test_markdown_neither_links_nor_breaks_a_table() -> None:
    shown = escape.markdown("[a](http://x) | <img> `b`\n@team")
    assert shown == "\\[a\\]\\(http\\://x\\) \\| &lt;img&gt; \\`b\\`\\\\n\\@team"


def test_html_is_text() -> None:
    assert escape.html("<b a=\"1\" c='2'>\x1b") == "&lt;b a=&quot;1&quot; c=&#x27;2&#x27;&gt;\\x1b"


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1)])
def test_width_counts_columns(text: str, columns: int) -> None:
    assert escape.width(text) == columns


def test_what_does_not_fit_is_left_out_of_the_middle() -> None:
    assert escape.fit("photos/2024/spring/shoe.png", 13) == "photos…oe.png"


@given(st.text(alphabet="ab日本é", max_size=30), st.integers(1, 20))
def test_fitted_text_fits(text: str, columns: int) -> None:
    assert escape.width(escape.fit(text, columns)) <= columns
