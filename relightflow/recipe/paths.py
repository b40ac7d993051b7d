"""Which files a recipe may name: those of its own project.

A recipe may come from a stranger's pull request. A sink's path outside the project would let it
overwrite somebody's files, a source's would send somebody's files to a provider. So both must stay
inside; only the operator may point elsewhere, with `--set`. This looks at the text alone: whoever
opens a file also refuses symbolic links in the way.

Paths are the options `path`, `file` and `include`, and every option whose schema says
`format: path`. A plugin whose `path` is no file says another format, such as `remote-path`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from relightflow.recipe.tree import Branch, Fields, Leaf, Node, Step
from relightflow.recipe.wording import quote

BY_NAME = frozenset({"path", "file", "include"})
_DRIVE = re.compile(r"[A-Za-z]:[\\/]", re.ASCII)


def project_of(folder: Path) -> Path:
    """The project that `folder` belongs to: the nearest folder upwards that holds `.relightflow`,
    else the one that holds `.git`, else `folder` itself."""
    here = Path(os.path.abspath(folder))  # noqa: PTH100  # resolve() would follow links
    for mark in (".relightflow", ".git"):
        for above in (here, *here.parents):
            if (above / mark).exists():
                return above
    return here


def path_values(
    options: Fields, schema: Mapping[str, Any], above: tuple[Step, ...]
) -> Iterator[tuple[tuple[Step, ...], Leaf]]:
    """Every text in `options` that names a file, with where it stands."""
    for name, node in options.items.items():
        rule = schema.get("properties", {}).get(name, {})
        format_ = rule.get("format") or _items_format(rule)
        if format_ == "path" or (not format_ and name in BY_NAME):
            yield from _texts((*above, name), node)


def escape_problem(text: str, folder: Path, project: Path) -> str | None:
    """Why the path or pattern `text`, relative to `folder`, may not be used; None where it may."""
    if "\0" in text:
        return "a path may not hold NUL"
    parts = text.split("/")
    outside = text.startswith(("/", "~")) or bool(_DRIVE.match(text))
    if not outside:
        climbs = next(
            (i for i, part in enumerate(parts) if part not in ("..", ".", "")), len(parts)
        )
        if ".." in parts[climbs:]:
            return f"{quote(text)}: '..' may stand only at the beginning of a path"
        joined = os.path.normpath(os.path.join(os.path.abspath(folder), text))  # noqa: PTH100, PTH118
        outside = not Path(joined).is_relative_to(project)
    if not outside:
        return None
    where = quote(str(project))
    return (
        f"{quote(text)} lies outside the project {where}: a recipe reads and writes only there; "
        "to allow it for one command, give the path with --set"
    )


def _items_format(rule: Mapping[str, Any]) -> Any:
    items = rule.get("items", {})
    return items.get("format") if isinstance(items, Mapping) else None


def _texts(steps: tuple[Step, ...], node: Node) -> Iterator[tuple[tuple[Step, ...], Leaf]]:
    if isinstance(node, Leaf):
        if isinstance(node.value, str):
            yield steps, node
    elif isinstance(node, Branch):
        for index, item in enumerate(node.items):
            yield from _texts((*steps, index), item)
