"""Values as they come out of YAML or JSON, made immutable."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

_SCALARS = frozenset({str, int, float, bool, type(None)})


class FrozenMap(Mapping[str, Any]):
    """A small hashable mapping that keeps its order for printing and forgets it for equality.

    Values are frozen all the way down: lists become tuples, mappings become FrozenMap.
    """

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        self._items = {key: _freeze(value) for key, value in (items or {}).items()}
        self._hash: int | None = None

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._items.items()))
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self._items == dict(other)

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"

    def __reduce__(self) -> tuple[type[FrozenMap], tuple[dict[str, Any]]]:
        return FrozenMap, (self._items,)  # the hash of a text is another one in every process


Parameters: TypeAlias = FrozenMap
"""Parameter name → scalar: one cell of the matrix, or what a backend is asked for."""


def _freeze(value: Any) -> Any:
    """`value` with every mapping and list in it made immutable."""
    if type(value) in _SCALARS:  # nearly always, and a million times in a large plan
        return value
    if isinstance(value, FrozenMap):
        return value
    if isinstance(value, Mapping):
        return FrozenMap(value)
    if isinstance(value, list | tuple):
        return tuple(_freeze(item) for item in value)
    return value


def thaw(value: Any) -> Any:
    """`value` as plain dictionaries and lists, for JSON."""
    if type(value) in _SCALARS:
        return value
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(item) for item in value]
    return value


def plain(value: Any) -> Any:
    """What a JSON encoder asks for of a value that it does not know: a mapping as a dictionary.

    Raises TypeError for anything else.
    """
    if isinstance(value, FrozenMap):
        return value._items
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=plain
)


def canonical_json(value: Any) -> str:
    """The one spelling of a JSON value: sorted keys, no spaces, ASCII only, no NaN.

    Raises ValueError for NaN and infinities, which JSON cannot say.
    """
    return _CANONICAL.encode(value)
