"""Which options of a recipe are paths, and whether each stays inside the project.

Paths are the options `path`, `file` and `include`, and every option whose schema says
`format: path`. A plugin whose `path` is no file says another format, such as `remote-path`, or
brings a pattern of its own. This looks at the text alone: whoever opens a file also refuses symbolic
links in the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from relightflow.core.project import Project
from relightflow.recipe.tree import Step

_BY_NAME = frozenset({"path", "file", "include"})
RELATIVE = r"^(?!/|~/|~$)(?![A-Za-z]:[\\/])[^\u0000]*$"
"""What editors can tell of a path (a regular expression of ECMA 262); the rest needs the project."""
WHY = "is not a relative path; paths in a recipe are relative to its file"


def keep_inside(properties: dict[str, Any]) -> dict[str, Any]:
    """`properties` of a plugin's schema, where every option that is a path must be a relative one."""
    return {name: _inside(name, rule) for name, rule in properties.items()}


def _inside(name: str, rule: Any) -> Any:
    if not isinstance(rule, dict):
        return rule
    items = rule.get("items")
    if rule.get("type") == "array" and isinstance(items, dict):
        return {**rule, "items": _inside(name, items)}
    format_ = rule.get("format", "path" if name in _BY_NAME else None)
    if format_ != "path" or rule.get("type") != "string" or "pattern" in rule:
        return rule
    return {**rule, "pattern": RELATIVE, "patternErrorMessage": WHY}


def is_path(schema: Any) -> bool:
    """Whether `schema` is that of a path, as `keep_inside` makes it."""
    return isinstance(schema, dict) and schema.get("pattern") == RELATIVE


def outside(
    data: Any, schema: dict[str, Any], project: Project
) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Every path in `data`, options of `schema`, that leaves the project: where, and why."""
    for name, rule in schema.get("properties", {}).items():
        found = data.get(name) if isinstance(data, dict) else None
        named: list[tuple[tuple[Step, ...], Any]] = []
        if is_path(rule):
            named = [((name,), found)]
        elif isinstance(found, list) and isinstance(rule, dict) and is_path(rule.get("items")):
            named = [((name, index), item) for index, item in enumerate(found)]
        for steps, path in named:
            if isinstance(path, str):
                try:
                    project.parts(path)
                except ValueError as problem:
                    yield steps, str(problem)
