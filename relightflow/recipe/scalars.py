"""A plain scalar's value by the core schema of YAML 1.2, and nothing else.

So `no`, `off`, `1:30` and `2026-11-23` are text, `010` is ten, `0o17` is fifteen and `1e3` a number.
Source: yaml.org, YAML 1.2.2, 10.3.2 "Tag Resolution". Infinities and NaN are refused, and so are
whole numbers beyond 64 bits, because neither survives the way through JSON and SQLite.
"""

from __future__ import annotations

import math
import re

from relightflow.model.values import Scalar

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DECIMAL = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL = re.compile(r"0o([0-7]+)", re.ASCII)
_HEX = re.compile(r"0x([0-9a-fA-F]+)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)
_LARGEST = 2**63 - 1
_DIGITS = 40
"""More digits than any number in range has; keeps int() away from a text of a megabyte."""


class NotAValue(ValueError):
    """The scalar is no value of a recipe; the message says why."""


def resolve(text: str) -> Scalar:
    """What the plain scalar `text` means. Raises `NotAValue`."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if text[0] not in "+-.0123456789":
        return text
    if _DECIMAL.fullmatch(text):
        return _whole(text, 10)
    if found := _OCTAL.fullmatch(text):
        return _whole(found[1], 8)
    if found := _HEX.fullmatch(text):
        return _whole(found[1], 16)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _NOT_FINITE.fullmatch(text):
        raise NotAValue(f"{text} is not a supported number; in quotes it is text")
    return text


def _whole(digits: str, base: int) -> int:
    significant = digits.lstrip("+-").lstrip("0") or "0"
    value = int(significant, base) if len(significant) <= _DIGITS else _LARGEST + 1
    if value > _LARGEST:
        raise NotAValue("the number is too large; in quotes it is text")
    return -value if digits.startswith("-") else value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise NotAValue("the number is too large; in quotes it is text")
    return value or 0.0  # -0.0 is 0.0: two spellings of one value would be two job keys
