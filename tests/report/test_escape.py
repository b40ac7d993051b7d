import json
import re
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


COMMANDS = [
    "::error file=a::b",
    "  ::add-mask::x",
    "text\n::set-output name=a::b",
    "##[error]x",
    "a ##[x]",
    "##vso[task.setvariable variable=secret]x",
    "a ##VSO[task.uploadfile]/etc/passwd",
    "##teamcity[buildStatus status='SUCCESS']",
    "###vso[x]",
    "--- heading",
    "text\n+++ heading",
    "~~~ heading",
    "^^^ +++",
    "section_start:1560896352:name",
    "text section_end:1560896352:name",
    "travis_fold:start:name",
    "travis_time:end:name",
]
_HEARD = re.compile(
    r"^\s*::|##[\w.-]*\[|^\s*(---|\+\+\+|~~~|\^\^\^)\s|section_(start|end):|travis_(fold|time):",
    re.MULTILINE,
)
"""What each of those systems listens for."""


@pytest.mark.parametrize("line", COMMANDS)
def test_a_log_line_holds_no_command_of_a_ci_system(line: str) -> None:
    assert _HEARD.search(line)
    assert not _HEARD.search(escape.log(line))
    assert re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), escape.log(line)) == line


@pytest.mark.parametrize("line", COMMANDS)
def test_a_line_of_json_holds_none_and_says_the_same(line: str) -> None:
    shown = escape.json_log(json.dumps({"a": line}))
    assert not _HEARD.search(shown)
    assert json.loads(shown) == {"a": line}


@pytest.mark.parametrize(
    "line",
    ["a::b, C++ a :: b", "#[x] # [x] ##x", "a --- b", "----", "-- x", "+1", "cross_section:1"],
)
def test_ordinary_log_lines_stay_as_they_are(line: str) -> None:
    assert escape.log(line) == line


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
