"""Fields of untrusted JSON, each with the type and the bounds that it must have."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_HASH = re.compile("[0-9a-f]{64}")
_LARGEST = 1 << 53
"""Of a number: what JSON readers keep exactly."""
_MOST_ITEMS = 10_000_000
_MOST_PARAMETERS = 100


class Flawed(Exception):
    """What is wrong with a value, and where it stands."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.message = message


@dataclass(frozen=True, slots=True)
class Checked:
    """One object. Every method raises Flawed."""

    value: Mapping[str, Any]
    where: str
    """Such as `plans[0].recipe`."""

    def only(self, *names: str) -> None:
        """No other field is there, but for `x-…`."""
        for name in self.value:
            if name not in names and not name.startswith("x-"):
                raise self._flawed(name[:100], "is not a known field")

    def inside(self, name: str) -> Checked:
        found = self.value.get(name)
        if not isinstance(found, dict):
            raise self._flawed(name, "must be an object")
        return Checked(found, self._at(name))

    def list(self, name: str, most: int = _MOST_ITEMS) -> Sequence[Any]:
        found = self.value.get(name)
        if not isinstance(found, list) or len(found) > most:
            raise self._flawed(name, f"must be a list of at most {most:,} items")
        return found

    def items(self, name: str, most: int = _MOST_ITEMS) -> Iterator[Checked]:
        """Of a list of objects."""
        for number, item in enumerate(self.list(name, most)):
            if not isinstance(item, dict):
                raise self._flawed(f"{name}[{number}]", "must be an object")
            yield Checked(item, f"{self._at(name)}[{number}]")

    def text(self, name: str, most: int, empty: bool = False) -> str:
        found = self.value.get(name)
        if not isinstance(found, str) or not (empty or found) or len(found) > most:
            raise self._flawed(name, f"must be a text of at most {most:,} characters")
        return found

    def texts(self, name: str, most: int) -> tuple[str, ...]:
        found = self.list(name)
        if not all(isinstance(text, str) and 0 < len(text) <= most for text in found):
            raise self._flawed(name, f"must be a list of texts of at most {most:,} characters")
        return tuple(found)

    def hash(self, name: str, empty: bool = False) -> str:
        found = self.value.get(name)
        if empty and found == "":
            return ""
        if not isinstance(found, str) or not _HASH.fullmatch(found):
            raise self._flawed(name, "must be 64 hex digits")
        return found

    def whole(self, name: str, least: int = 0, most: int = _LARGEST) -> int:
        found = self.value.get(name)
        if type(found) is not int or not least <= found <= most:
            raise self._flawed(name, f"must be an integer from {least:,} to {most:,}")
        return found

    def number(self, name: str) -> float:
        """Not negative."""
        found = self.value.get(name)
        if (
            isinstance(found, bool)
            or not isinstance(found, int | float)
            or not 0 <= found <= _LARGEST
        ):
            raise self._flawed(name, "must be a number from 0")
        return found

    def scalars(self, name: str) -> dict[str, Any]:
        """Parameters: names and single values."""
        found = self.inside(name).value
        good = len(found) <= _MOST_PARAMETERS and all(map(_is_scalar, found.values()))
        if not good:
            raise self._flawed(name, "must map each parameter to one value")
        return dict(found)

    def relative_path(self, name: str) -> str:
        """A path with `/` that stays inside the folder it is relative to."""
        found = self.text(name, 4096)
        parts = found.split("/")
        if "\0" in found or "\\" in found or any(part in ("", ".", "..") for part in parts):
            raise self._flawed(name, "must be a relative path inside the project")
        return found

    def _at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def _flawed(self, name: str, message: str) -> Flawed:
        return Flawed(self._at(name), message)


def _is_scalar(value: Any) -> bool:
    if type(value) is float:
        return math.isfinite(value)
    return isinstance(value, str | bool) or (type(value) is int and abs(value) <= _LARGEST)
