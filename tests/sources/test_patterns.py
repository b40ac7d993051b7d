from __future__ import annotations

import fnmatch
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.errors import UsageError
from relightflow.sources.patterns import Patterns, natural_order


def matches(pattern: str, path: str, *, hidden: bool = False) -> bool:
    patterns = Patterns([pattern], hidden=hidden)
    states = patterns.start()
    *folders, name = path.split("/")
    for folder in folders:
        states = patterns.step(states, folder).inner
    return patterns.step(states, name).whole


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a.jpg", "a.jpg"),
        ("./a.jpg", "a.jpg"),
        ("*.jpg", "a.jpg"),
        ("photos/*.jpg", "photos/a.jpg"),
        ("**/*.jpg", "a.jpg"),
        ("**/*.jpg", "x/y/z/a.jpg"),
        ("x/**/a.jpg", "x/a.jpg"),
        ("x/**/a.jpg", "x/y/z/a.jpg"),
        ("x/**", "x/y/a.jpg"),
        ("**", "x/a.jpg"),
        ("**/y/**/a.jpg", "x/y/a.jpg"),
        ("img?.png", "img1.png"),
        ("img[0-3].png", "img2.png"),
        ("img[!0-3].png", "img7.png"),
        (".hidden/*.jpg", ".hidden/a.jpg"),
        (".*", ".a.jpg"),
        ("a[.jpg", "a[.jpg"),
        ("ü/*.jpg", "ü/日本.jpg"),
        ("*.jpg", "a.JPG"),
        ("*.JpG", "a.jPg"),
        ("a.jpg", "a.JPG"),
        ("a.[jJ]pg", "a.JPG"),
        ("*JPG", "a.JPG"),
        ("*", "a.JPG"),
    ],
)
def test_a_pattern_means(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.jpg", "x/a.jpg"),
        ("A*.jpg", "a.JPG"),
        ("x/*.jpg", "x/y/a.jpg"),
        ("x/**/a.jpg", "a.jpg"),
        ("**/*.jpg", ".hidden/a.jpg"),
        ("**/*.jpg", "x/.a.jpg"),
        ("*", ".a.jpg"),
        ("?a.jpg", ".a.jpg"),
        ("img?.png", "img10.png"),
        ("x*y.jpg", "x/y.jpg"),
    ],
)
def test_a_pattern_does_not_mean(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


def test_an_exclude_sees_hidden_names_too() -> None:
    assert matches("**/draft-*", "x/.y/draft-1", hidden=True)
    assert matches("*.jpg", ".a.jpg", hidden=True)


@pytest.mark.parametrize("pattern", ["../a.jpg", "x/../../a.jpg", "/etc/*", "", "/", "a\0b", "."])
def test_a_pattern_that_could_leave_the_folder_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="must stay inside"):
        Patterns([pattern])


_PARTS = st.sampled_from(["a", "b", "ab", "*", "a*", "?", "**"])
_NAMES = st.sampled_from(["a", "b", "ab", "ba"])


@given(st.lists(_PARTS, min_size=1, max_size=5), st.lists(_NAMES, min_size=1, max_size=5))
def test_the_walkable_matcher_agrees_with_one_regular_expression(
    parts: list[str], names: list[str]
) -> None:
    expression = ""
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if part == "**":
            expression += "[^/]+(/[^/]+)*" if last else "([^/]+/)*"
        else:
            piece = fnmatch.translate(part).replace(".", "[^/]") if part != "ab" else part
            piece = re.sub(r"^\(\?s:(.*)\)\\Z$", r"\1", piece)
            expression += piece + ("" if last else "/")
    wanted = re.fullmatch(expression, "/".join(names)) is not None
    assert matches("/".join(parts), "/".join(names)) == wanted


def test_numbers_in_names_are_ordered_by_value() -> None:
    wanted = ["img1", "img2", "img10", "img10b", "img010", "x/2", "x/10"]
    assert sorted(["img10b", "x/10", "img10", "img2", "x/2", "img1"], key=natural_order) == [
        name for name in wanted if name != "img010"
    ]


def test_the_order_ignores_letter_case_and_unicode_form_until_nothing_else_differs() -> None:
    names = ["b", "A", "a", "B", "\u00e9b", "e\u0301a", "\u00e9a"]
    assert sorted(names, key=natural_order) == [
        "A",
        "a",
        "B",
        "b",
        "e\u0301a",
        "\u00e9a",
        "\u00e9b",
    ]


def test_files_of_a_folder_stay_together() -> None:
    names = ["a/2", "a b/1", "a-b/1", "a/10"]
    assert sorted(names, key=natural_order)[:2] == ["a/2", "a/10"]


@given(st.lists(st.text(max_size=8), max_size=8))
def test_the_order_is_total_and_does_not_depend_on_where_it_began(names: list[str]) -> None:
    shuffled = random.Random(1).sample(names, len(names))
    assert sorted(names, key=natural_order) == sorted(shuffled, key=natural_order)
