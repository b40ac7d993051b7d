"""Changes a recipe's text: a field at the top is replaced, and every other line stays as it is.

Comments on lines of their own stay too, those inside a replaced field included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from relightflow.errors import UsageError
from relightflow.model.values import Parameters, Scalar
from relightflow.recipe.reading import read
from relightflow.recipe.scalars import resolve
from relightflow.recipe.tree import Fields

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")


def with_include(text: str, cells: Sequence[Parameters]) -> str:
    """The recipe with a matrix that is exactly `cells`. Raises UsageError."""
    lines = ["matrix:", "  include:"]
    lines += [f"    - {{{', '.join(_pair(cell, name) for name in cell)}}}" for cell in cells]
    return _replaced(text, "matrix", lines)


def with_picks(text: str, path: str) -> str:
    """The recipe with the picks file `path`, relative to it. Raises UsageError."""
    return _replaced(text, "picks", [f"picks: {spelled(path)}"])


def without_picks(text: str) -> str:
    """The recipe without a picks file."""
    return _replaced(text, "picks", [])


def spelled(value: Scalar) -> str:
    """A value as YAML that reads as the very same value."""
    if isinstance(value, str) and not (_PLAIN.fullmatch(value) and resolve(value) == value):
        return json.dumps(value, ensure_ascii=True)
    return value if isinstance(value, str) else json.dumps(value, allow_nan=False)


def _pair(cell: Parameters, name: str) -> str:
    return f"{spelled(name)}: {spelled(cell[name])}"


def _replaced(text: str, field: str, new: Sequence[str]) -> str:
    """`text` with `new` in the place of `field`, or after the field before it in the usual order."""
    lines = text.splitlines(keepends=True)
    starts = _starts(text, lines)
    end_of_line = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    made = [line + end_of_line for line in new]
    if field in starts:
        first, last = _section(lines, starts, field)
        comments = [line for line in lines[first + 1 : last] if line.lstrip().startswith("#")]
        kept = made[:1] + comments + made[1:] if made else comments
        return "".join([*lines[:first], *kept, *lines[last:]])
    if not made:
        return text
    before = [name for name in ("sample", "matrix", "backend", "sources") if name in starts]
    at = _section(lines, starts, before[0])[1] if before else len(lines)
    if at and not lines[at - 1].endswith("\n"):
        made.insert(0, end_of_line)
    return "".join([*lines[:at], *made, *lines[at:]])


def _starts(text: str, lines: Sequence[str]) -> dict[str, int]:
    """The 0-based line on which each field begins. Raises UsageError."""
    tree, _ = read(text, "recipe")
    if isinstance(tree, Fields):
        starts = {name: place.line - 1 for name, place in tree.keys.items()}
        own = len(set(starts.values())) == len(starts)
        if own and all(place.column == 1 for place in tree.keys.values()) and lines:
            return starts
    raise UsageError(
        "the recipe's fields do not each begin a line of their own, so it is not changed; write "
        "`picks: FILE` into it by hand"
    )


def _section(lines: Sequence[str], starts: dict[str, int], field: str) -> tuple[int, int]:
    """First line of a field, and the one after its last; blank lines and comments before the next
    field belong to that one."""
    first = starts[field]
    last = min((line for line in starts.values() if line > first), default=len(lines))
    while last > first + 1 and _is_filler(lines[last - 1]):
        last -= 1
    return first, last


def _is_filler(line: str) -> bool:
    stripped = line.strip()
    return not stripped or (stripped.startswith("#") and not line[:1].isspace())
