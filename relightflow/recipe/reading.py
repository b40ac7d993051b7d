"""Text → a tree of values with positions: YAML, read strictly.

The tree is built from the parser's events, one at a time, so that a bomb is noticed before anything
is built from it (PyYAML's own C composer crashes at 100,000 nested brackets). Bounded are depth and
the number of values, where each use of an alias counts as often as what it stands for. Refused are
tags, directives, a second document, merge keys (`<<` is no part of YAML 1.2), keys that are not text,
duplicate keys, and numbers that are not finite.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from relightflow.errors import InvalidRecipe, Problem
from relightflow.model.recipe import Position
from relightflow.recipe import syntax
from relightflow.recipe.scalars import NotAValue, resolve
from relightflow.recipe.tree import Branch, Fields, Leaf, Node, size
from relightflow.recipe.wording import printable, quote, step

DEEPEST = 64
MOST = 50_000
"""Values in a recipe. A mebibyte of URLs has about 20,000."""
_MOST_FLAWS = 100
"""After so many problems reading stops: a file that is no recipe has thousands."""

_DEEP = f"is nested more than {DEEPEST} deep"
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _OpenNode:
    """A list or mapping whose end has not been read yet."""

    position: Position
    anchor: str | None
    mapping: bool
    bracket: int | None
    """Index of its `[` or `{` in the text; None for a block."""
    before: int
    """Values counted before it began."""
    items: list[Node] = field(default_factory=list)
    fields: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Position] = field(default_factory=dict)
    key: str | None = None
    """Of a mapping: the key that waits for its value."""
    skip: bool = False
    """The waiting key was refused; its value is read and forgotten."""
    height: int = 0


def read(text: str, file: str) -> tuple[Node, list[Problem]]:
    """The recipe's tree and what is wrong with it that does not stop the reading.

    `text` has been through `text.decode`. Raises InvalidRecipe where nothing more can be read.
    """
    reader = _Reader(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        if deep := _too_deep(text, error):
            reader.stop(_DEEP, _position(file, deep), told=False)
        found = syntax.flaw(error, text, reader.bracket)
        reader.stop(f"is not valid YAML: {found.message}", Position(file, found.line, found.column))
    except (yaml.YAMLError, OverflowError, ValueError):  # the parser in Python: "\\Uffffffff"
        reader.stop(f"is not valid YAML: {syntax.ESCAPE}", Position(file))
    if reader.root is None:
        reader.stop("is empty", Position(file))
    return reader.root, reader.flaws


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.flaws: list[Problem] = []
        self._open: list[_OpenNode] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._documents = 0
        self._count = 0

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)

    @property
    def bracket(self) -> int | None:
        """Index of the innermost bracket that is open."""
        return self._open[-1].bracket if self._open else None

    def stop(self, message: str, position: Position, told: bool = True) -> NoReturn:
        """`told`: whether the path of what was being read stands in the message."""
        path = self._path() if told and len(self._open) < DEEPEST // 4 else ""
        last = Problem(position.file, position.line, position.column, path, message)
        raise InvalidRecipe(sorted([*self.flaws, last]))

    def _flaw(self, message: str, position: Position, path: str) -> None:
        self.flaws.append(Problem(position.file, position.line, position.column, path, message))
        if len(self.flaws) >= _MOST_FLAWS:
            raise InvalidRecipe(self.flaws)

    def _path(self) -> str:
        path = ""
        for level in self._open:
            if not level.mapping:
                path = step(path, len(level.items))
            elif level.key is not None:
                path = step(path, level.key)
        return path

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self.stop(
                "a recipe is a single YAML document; a second one starts here", self._at(event)
            )
        if event.version or event.tags:
            self._flaw(
                "directives (%) are not supported; remove the line", Position(self.file, 1, 1), ""
            )

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        position = self._at(event)
        self._no_tag(event.tag, position)
        self._counted(1, position)
        plain = event.implicit[0] and not event.style
        if _SURROGATE.search(event.value):
            self.stop(f"is not valid YAML: {syntax.ESCAPE}", position)
        if self._open and self._open[-1].mapping and self._open[-1].key is None:
            self._key(event, plain, position)
            return
        try:
            value = resolve(event.value) if plain else event.value
        except NotAValue as error:
            self._flaw(str(error), position, self._path())
            value = None
        written = "" if value is None or isinstance(value, str) else event.value
        self._add(Leaf(value, position, written), event.anchor, 0)

    def _key(self, event: yaml.ScalarEvent, plain: bool, position: Position) -> None:
        level = self._open[-1]
        key: str = event.value
        flaw = ""
        if plain and key == "<<":
            flaw = "merge keys are not supported; write the fields out"
        elif plain and not _is_text(key):
            flaw = f"keys must be text; write it in quotes: {quote(key)}"
        elif key in level.keys:
            flaw = f"is a duplicate key; the first is in line {level.keys[key].line}"
        if flaw:
            self._flaw(flaw, position, step(self._path(), key))
        else:
            level.keys[key] = position
        level.key, level.skip = key, bool(flaw)
        if event.anchor:
            self._anchors[event.anchor] = (Leaf(key, position), 0)

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        position = self._at(event)
        self._no_tag(event.tag, position)
        self._no_key(position)
        if len(self._open) >= DEEPEST:
            self.stop(_DEEP, position, told=False)
        mapping = isinstance(event, yaml.MappingStartEvent)
        end: Any = event.end_mark
        bracket = end.index - 1 if event.flow_style else None
        self._open.append(_OpenNode(position, event.anchor, mapping, bracket, self._count))
        self._counted(1, position)
        if event.anchor:
            self._anchors.pop(event.anchor, None)

    def _end(self) -> None:
        level = self._open.pop()
        count = self._count - level.before
        node: Node
        if level.mapping:
            node = Fields(level.fields, level.keys, level.position, count)
        else:
            node = Branch(tuple(level.items), level.position, count)
        self._add(node, level.anchor, level.height + 1)

    def _alias(self, event: yaml.AliasEvent) -> None:
        position = self._at(event)
        self._no_key(position)
        if event.anchor not in self._anchors:
            name = printable(f"*{event.anchor}")
            self.stop(f"{name} does not refer to a complete value above it", position)
        node, height = self._anchors[event.anchor]
        if len(self._open) + height > DEEPEST:
            self.stop(_DEEP, position, told=False)
        self._counted(size(node), position)
        self._add(node, None, height)

    def _add(self, node: Node, anchor: str | None, height: int) -> None:
        if anchor:
            self._anchors[anchor] = (node, height)
        if not self._open:
            self.root = node
            return
        level = self._open[-1]
        level.height = max(level.height, height)
        if not level.mapping:
            level.items.append(node)
            return
        assert level.key is not None
        if not level.skip:
            level.fields[level.key] = node
        level.key = None

    def _counted(self, more: int, position: Position) -> None:
        self._count += more
        if self._count > MOST:
            said = f"has more than {MOST:,} values, counting each use of an alias"
            self.stop(said, position)

    def _no_tag(self, tag: str | None, position: Position) -> None:
        if tag is not None:
            written = tag.replace("tag:yaml.org,2002:", "!!")
            self._flaw(f"tags are not supported; remove {quote(written)}", position, self._path())

    def _no_key(self, position: Position) -> None:
        if self._open and self._open[-1].mapping and self._open[-1].key is None:
            self.stop("keys must be text, not a list, a mapping or an alias", position)

    def _at(self, event: yaml.Event) -> Position:
        return _position(self.file, event.start_mark)


def flow_only(text: str) -> bool:
    """Whether `text` is at most one scalar or one `[…]` or `{…}`: what fits on a command line."""
    for event in _first_nodes(text):
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            return bool(event.flow_style)
        return not (isinstance(event, yaml.ScalarEvent) and event.style in ("|", ">"))
    return True


def _first_nodes(text: str) -> Iterator[yaml.Event]:
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.NodeEvent):
            yield event


def _is_text(plain: str) -> bool:
    try:
        return isinstance(resolve(plain), str)
    except NotAValue:
        return False


def _too_deep(text: str, error: yaml.MarkedYAMLError) -> Any:
    """Where `text` gets too deep before `error`, as a mark; None if it does not.

    Parsers look ahead by up to 1,024 characters, and some have a limit of their own. So their error
    may come before the events that show the depth; up to it they have nothing against the text.
    """
    mark: Any = error.problem_mark or error.context_mark
    depth = 0
    try:
        for event in yaml.parse(text[: mark.index] if mark else text, Loader=_LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEEPEST:
                    return event.start_mark
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except (yaml.YAMLError, OverflowError, ValueError):
        pass
    return None


def _position(file: str, mark: Any) -> Position:
    return Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
