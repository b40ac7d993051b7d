from __future__ import annotations

import re
from typing import Any

import pytest

from relightflow.recipe.paths import INSIDE, keep_inside

TEXT: dict[str, Any] = {"type": "string"}


@pytest.mark.parametrize(
    "path",
    [
        "out",
        "out/",
        "./a",
        "..a/b",
        "a..",
        "a/..b",
        "~a",
        "a/~/b",
        ".",
        "a b/ö",
        "**/*.jpg",
        "a\nb",
    ],
)
def test_a_path_in_the_folder_is_allowed(path: str) -> None:
    assert re.search(INSIDE, path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/a",
        "..",
        "../a",
        "a/..",
        "a/../b",
        "./../a",
        "~/a",
        "C:/a",
        "c:\\a",
        "a\0b",
        "a\n/../b",
    ],
)
def test_a_path_that_leads_out_is_not(path: str) -> None:
    assert not re.search(INSIDE, path)


def test_paths_are_known_by_name_by_format_and_in_lists() -> None:
    kept = keep_inside(
        {
            "path": TEXT,
            "file": TEXT,
            "include": {"type": "array", "items": TEXT},
            "logo": {"type": "string", "format": "path"},
            "title": TEXT,
        }
    )
    assert [
        ("pattern" in rule or "pattern" in rule.get("items", {})) for rule in kept.values()
    ] == [
        True,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "rule", [{"type": "string", "format": "remote-path"}, {"type": "string", "pattern": "^a"}, True]
)
def test_a_plugin_may_say_that_its_path_is_something_else(rule: Any) -> None:
    assert keep_inside({"path": rule}) == {"path": rule}
