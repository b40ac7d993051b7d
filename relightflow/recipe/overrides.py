"""`--set path=value`: what the operator changes in a recipe for one command.

The path is the one that problems show (`limits.rate`, `sinks[0].path`, `matrix.light_type`); the
value is one YAML scalar or one `[…]` or `{…}`, read by the same strict rules as the file. Anything
but `version` may be set. Mappings on the way are made where they are missing; list items must exist.
Later ones win.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from relightflow.errors import InvalidRecipe, Problem
from relightflow.model.recipe import Position
from relightflow.recipe.reading import flow_only, read
from relightflow.recipe.text import LARGEST, decode
from relightflow.recipe.tree import Branch, Fields, Leaf, Node, Step
from relightflow.recipe.wording import describe, printable

_MARK = "--set "
"""What the `file` of a place begins with where the value came from the command line."""
_PATH = re.compile(
    r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]{1,6}\])*", re.ASCII
)
_STEP = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*|[0-9]+", re.ASCII)


def override(tree: Node, settings: Sequence[str]) -> tuple[Node, list[Problem]]:
    """`tree` with every setting in place, and what is wrong with the settings themselves."""
    problems: list[Problem] = []
    for setting in settings:
        try:
            path, steps, node = _parse(setting)
            tree = _put(tree, steps, node, Position(_MARK + path))
        except InvalidRecipe as error:
            problems += error.problems
    return tree, problems


def _parse(setting: str) -> tuple[str, tuple[Step, ...], Node]:
    path, equals, text = setting.partition("=")
    path = path.strip()
    file = _MARK + printable(path if equals else setting)[:80]
    if not equals or not _PATH.fullmatch(path):
        raise _wrong(file, "is not of the form path=value, such as limits.concurrency=4")
    if path == "version":
        raise _wrong(file, "the version cannot be set on the command line")
    steps = tuple(int(s) if s.isdigit() else s for s in _STEP.findall(path))
    return path, steps, _value(text, file)


def _value(text: str, file: str) -> Node:
    text = decode(text[: LARGEST + 1].encode("utf-8", "surrogatepass"), file)
    if not text.strip():
        return Leaf(None, Position(file))
    try:
        fits = flow_only(text)
    except (yaml.YAMLError, OverflowError, ValueError):
        fits = True  # `read` says what is wrong
    if not fits:
        raise _wrong(file, "write one value, or a list or mapping in brackets: [a, b]")
    try:
        node, flaws = read(text, file)
    except InvalidRecipe as error:
        # where in the value the reading stopped is no path of the recipe
        raise InvalidRecipe(Problem(file, 0, 0, "", p.message) for p in error.problems) from None
    if flaws:
        raise InvalidRecipe(Problem(file, 0, 0, p.path, p.message) for p in flaws)
    return _moved(node, Position(file))


def _put(node: Node | None, steps: tuple[Step, ...], new: Node, position: Position) -> Node:
    if not steps:
        return new
    first, rest = steps[0], steps[1:]
    if isinstance(first, int):
        if not isinstance(node, Branch) or first >= len(node.items):
            count = len(node.items) if isinstance(node, Branch) else 0
            raise _wrong(
                position.file, f"item [{first}] does not exist; the recipe has {count} there"
            )
        changed = _put(node.items[first], rest, new, position)
        items = (*node.items[:first], changed, *node.items[first + 1 :])
        return Branch(items, node.position, node.size)
    if node is None or (isinstance(node, Leaf) and node.value is None):
        node = Fields({}, {}, position, 1)
    if not isinstance(node, Fields):
        found = describe(node.value if isinstance(node, Leaf) else [])
        raise _wrong(position.file, f"'{first}' does not exist in {found}")
    child = _put(node.items.get(first), rest, new, position)
    keys = {**node.keys, first: node.keys.get(first, position) if rest else position}
    return Fields({**node.items, first: child}, keys, node.position, node.size)


def _moved(node: Node, position: Position) -> Node:
    """`node` with every place on the command line, where lines and columns mean nothing."""
    if isinstance(node, Leaf):
        return Leaf(node.value, position, node.written)
    if isinstance(node, Branch):
        return Branch(tuple(_moved(item, position) for item in node.items), position, node.size)
    items = {key: _moved(item, position) for key, item in node.items.items()}
    return Fields(items, dict.fromkeys(items, position), position, node.size)


def _wrong(file: str, message: str) -> InvalidRecipe:
    return InvalidRecipe([Problem(file, 0, 0, "", message)])
