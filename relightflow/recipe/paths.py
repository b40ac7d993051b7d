"""Which files a recipe may name: those at or below its own folder.

A recipe may come from a stranger's pull request. A sink's path that leads out would let it overwrite
somebody's files, a source's would send somebody's files to a provider. This looks at the text alone:
whoever opens a file also refuses symbolic links in the way.

Paths are the options `path`, `file` and `include`, and every option whose schema says
`format: path`. A plugin whose `path` is no file says another format, such as `remote-path`, or
brings a pattern of its own.
"""

from __future__ import annotations

from typing import Any

_BY_NAME = frozenset({"path", "file", "include"})
INSIDE = r"^(?!/|~/)(?![A-Za-z]:[\\/])(?!(?:[^\u0000]*/)?\.\.(?:/|$))[^\u0000]*$"
"""A regular expression of both Python and editors (ECMA 262)."""
WHY = "is outside the recipe's folder; a recipe can read and write only inside it"


def keep_inside(properties: dict[str, Any]) -> dict[str, Any]:
    """`properties` of a plugin's schema, where every option that is a path must stay inside."""
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
    return {**rule, "pattern": INSIDE, "patternErrorMessage": WHY}
