from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from relightflow.core.project import Project
from relightflow.recipe.paths import RELATIVE, keep_inside, outside

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
        "..",
        "../a",
        "a/../b",
        "**/*.jpg",
        "a\nb",
    ],
)
def test_a_relative_path_is_allowed(path: str) -> None:
    assert re.search(RELATIVE, path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/a",
        "~",
        "~/a",
        "C:/a",
        "c:\\a",
        "a\0b",
    ],
)
def test_an_absolute_path_is_not(path: str) -> None:
    assert not re.search(RELATIVE, path)


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


def test_every_path_that_leads_out_is_told_with_its_place() -> None:
    schema = {
        "properties": keep_inside(
            {"path": TEXT, "include": {"type": "array", "items": TEXT}, "title": TEXT}
        )
    }
    project = Project(Path("/p/recipes"), Path("/p"), ".git")
    data = {"path": "../../out", "include": ["../photos/*", "a", "/x"], "title": "../../t"}
    assert [steps for steps, _ in outside(data, schema, project)] == [("path",), ("include", 2)]
