"""What a recipe's YAML becomes: values that know where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from relightflow.model.recipe import Position
from relightflow.model.values import Scalar


@dataclass(slots=True, frozen=True)
class Leaf:
    value: Scalar
    position: Position
    written: str = ""
    """How the file spells a value that is not text (`3.10`, `007`, `True`); empty for text."""


@dataclass(slots=True, frozen=True)
class Branch:
    """A list."""

    items: tuple[Node, ...]
    position: Position
    size: int
    """Nodes in it, itself included, aliases counted as often as they are used."""


@dataclass(slots=True, frozen=True)
class Fields:
    """A mapping."""

    items: Mapping[str, Node]
    keys: Mapping[str, Position]
    """Where each key stands."""
    position: Position
    size: int


Node: TypeAlias = Leaf | Branch | Fields
Step: TypeAlias = str | int


def size(node: Node) -> int:
    return 1 if isinstance(node, Leaf) else node.size


def value(node: Node) -> Any:
    """`node` as plain Python: dict, list, scalar. Depth was bounded when it was read."""
    if isinstance(node, Leaf):
        return node.value
    if isinstance(node, Branch):
        return [value(item) for item in node.items]
    return {key: value(item) for key, item in node.items.items()}


def find(node: Node, steps: tuple[Step, ...]) -> Node | None:
    """What stands `steps` below `node`; None where nothing does."""
    for step in steps:
        below: Node | None = None
        if isinstance(node, Fields) and isinstance(step, str):
            below = node.items.get(step)
        elif isinstance(node, Branch) and isinstance(step, int) and step < len(node.items):
            below = node.items[step]
        if below is None:
            return None
        node = below
    return node


def key_position(node: Node, steps: tuple[Step, ...]) -> Position:
    """Where the last step's key stands; a list's item stands for itself."""
    above = find(node, steps[:-1])
    if isinstance(above, Fields) and isinstance(steps[-1], str) and steps[-1] in above.keys:
        return above.keys[steps[-1]]
    return position(node, steps)


def position(node: Node, steps: tuple[Step, ...]) -> Position:
    """Where the value at `steps` begins, or the nearest thing above it."""
    while (found := find(node, steps)) is None:
        steps = steps[:-1]
    return found.position
