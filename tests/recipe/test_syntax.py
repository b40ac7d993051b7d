"""Broken YAML is told in our words at one place, by PyYAML's parser in C and by the one in Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from relightflow.errors import InvalidRecipe
from relightflow.recipe import reading
from relightflow.recipe.reading import read

INDENTED = "this line or the one before it is probably indented wrongly"
COLON = f"{INDENTED}, or a text with ': ' in it needs quotes"
ESCAPE = "this escape stands for no character; write \\\\ for a backslash, or use single quotes"
BROKEN = {
    "a:\n\tb: 1": "2:1: a: a tab cannot indent; use spaces",
    "\t": "1:1: a tab cannot indent; use spaces",
    "a: b: c": f"1:5: {COLON}",
    "a: 1\n  b: 2": f"2:4: {COLON}",
    "a:\n  b: 1\n c: 2": f"3:2: {INDENTED}",
    "- a\nb: c": f"2:1: [1]: {INDENTED}",
    "a: - b": "1:4: a: a list begins in a line of its own",
    "a: 1\nfoo\nb: 2": "2:1: 'foo' is not a key, because no ':' follows it on its line",
    "a: [": "1:4: a[0]: the [ that opens here is never closed",
    "a: &b [1,\n\n": "1:7: a[1]: the [ that opens here is never closed",
    "a: {b: 1": "1:4: a: the { that opens here is never closed",
    "a: [1\nb: 2": "2:2: a[1]: a comma or ] is missing before this; the [ stands in line 1",
    "a: {x: 1]": "1:9: a: a comma or } is missing before this; the { stands in line 1",
    "a: [1,,2]": "1:7: a[1]: a value is missing before this comma",
    "a: ]": "1:4: a: this ] closes nothing",
    "a: [b]]": "1:7: this ] closes nothing",
    "a: 'x\nb: 1\n": "1:4: a: the ' that opens here is never closed",
    'a: ["x\n---\n"]': '1:5: a[0]: the " that opens here is never closed',
    'a: "b" c': "1:8: the value ends before this; put all of it in quotes",
    "[a] b": "1:5: the value ends before this; put all of it in quotes",
    'a: "C:\\qux"': f"1:7: a: {ESCAPE}",
    'a: "\\x4"': f"1:5: a: {ESCAPE}",
    "a: @x": "1:4: a: a text that begins with @ needs quotes",
    "a: `x": "1:4: a: a text that begins with ` needs quotes",
    "a: %x": "1:4: a: a text that begins with % needs quotes",
    "a: *.png": "1:4: a: a text that begins with * needs quotes",
    "a: [*a.png]": "1:5: a[0]: a text that begins with * needs quotes",
    "a: &": "1:4: a: a text that begins with & needs quotes",
    "a: !q!x 1": "1:4: a: a text that begins with ! needs quotes",
    "a: |3x\n  b": "1:4: a: after | may follow only +, - and a digit from 1 to 9",
    "%x\n": "1:1: directives (%) are not supported; remove the line",
    "%YAML 2.0\n---\na: 1": "1:1: directives (%) are not supported; remove the line",
}
LOADERS = [yaml.SafeLoader, yaml.CSafeLoader]


def refusal(text: str) -> str:
    with pytest.raises(InvalidRecipe) as caught:
        read(text, "r")
    return str(caught.value)


@pytest.fixture(params=LOADERS, ids=["python", "c"])
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LOADER", request.param)


@pytest.mark.usefixtures("_loader")
@pytest.mark.parametrize("text", BROKEN)
def test_broken_yaml_is_told_in_our_words_by_either_parser(text: str) -> None:
    assert refusal(text).replace("is not valid YAML: ", "") == f"r:{BROKEN[text]}"


@pytest.mark.usefixtures("_loader")
@pytest.mark.parametrize("text", [text for text in BROKEN if "\n" in text])
def test_line_ends_of_windows_move_no_message(text: str) -> None:
    assert refusal(text.replace("\n", "\r\n")) == refusal(text)


@pytest.mark.usefixtures("_loader")
@pytest.mark.parametrize("text", ['a: "\\ud800"', 'a: "\\Uffffffff"'])
def test_an_escape_that_is_no_character_is_refused_by_either_parser(text: str) -> None:
    assert refusal(text).endswith(f"a: is not valid YAML: {ESCAPE}")


@pytest.mark.usefixtures("_loader")
@pytest.mark.parametrize(
    ("text", "column"),
    [("[" * 2000, 65), ("[" * 65, 65), ("- " * 2000, 129), ("{a: " * 2000, 257), ("b: " + "[" * 80, 67)],
)  # fmt: skip
def test_depth_is_told_alike_by_either_parser(text: str, column: int) -> None:
    assert refusal(text) == f"r:1:{column}: is nested more than 64 deep"


def test_a_parser_with_a_limit_of_its_own_does_not_get_to_word_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parse = yaml.parse

    def strict(text: str, Loader: Any) -> Iterator[yaml.Event]:  # noqa: N803, PyYAML's name
        if text.count("[") > 100:
            mark = yaml.Mark("", 100, 0, 100, None, 0)
            raise yaml.scanner.ScannerError("some day", mark, "in other words", mark)
        return parse(text, Loader=Loader)

    monkeypatch.setattr(yaml, "parse", strict)
    assert refusal("[" * 101) == "r:1:65: is nested more than 64 deep"
