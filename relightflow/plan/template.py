"""The small language of `name`: text with `{fields}` from a fixed set, and nothing else.

No attribute access, no index, no conversion, no format: a recipe is data. `{{` and `}}` are braces.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from string import Formatter

from relightflow.core.filenames import forbidden_in

DEFAULT = "{image.stem}-{key}.{ext}"
"""Never two outputs in one place, unless they are the same job's."""

FIELDS = (
    "image.name", "image.stem", "image.folder", "backend", "key", "repeat", "index", "recipe", "ext"
)  # fmt: skip
"""Beside every axis. `key` is the short key, 16 hex digits."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text, then the value of a field; either may be missing."""

    text: str
    field: str | None


class _BadTemplate(ValueError):
    """The braces do not match, or a field has more than a name."""


@lru_cache(maxsize=64)
def parse(template: str) -> tuple[_Piece, ...]:
    """The pieces of a template. Raises BadTemplate, in words."""
    try:
        found = list(Formatter().parse(template))
    except ValueError:
        raise _BadTemplate("unmatched brace; write '{{' or '}}' for a literal brace") from None
    for _, field, how, conversion in found:
        if how or conversion:
            raise _BadTemplate(
                f"'{{{field}}}' does not support a format or conversion; write only '{{{field}}}'"
            )
    return tuple(_Piece(text, field) for text, field, _, _ in found)


def template_problems(template: str, axes: Iterable[str]) -> list[str]:
    """All that is wrong with a `name`, in words; `axes` are the names that a cell may have."""
    try:
        pieces = parse(template)
    except _BadTemplate as problem:
        return [str(problem)]
    known = (*dict.fromkeys(axes), *FIELDS)
    problems = [_unknown(p.field, known) for p in pieces if p.field not in (None, *known)]
    text = "".join(piece.text for piece in pieces)
    if bad := forbidden_in(text):
        problems.append(f"{', '.join(map(repr, bad))} is not allowed in a file name; remove it")
    # a field stands for some text, so that only what is written can be empty or climb
    parts = "".join(p.text + ("x" if p.field is not None else "") for p in pieces).split("/")
    if template.startswith("/"):
        problems.append("is absolute; write a path inside the sink's folder, without the first '/'")
    elif ".." in parts or "." in parts:
        problems.append("'.' and '..' are not allowed; outputs stay in the sink's folder")
    elif "" in parts:
        problems.append("has no file name or an empty folder name; write one name between two '/'")
    return problems


def one_place_a_job(template: str) -> bool:
    """True where two different jobs surely have different paths: nothing that varies comes after
    `{key}` in the file's name, so equal paths have equal keys."""
    last = parse(template.rpartition("/")[2])
    fields = [piece.field for piece in last if piece.field not in (None, "ext", "recipe")]
    return fields[-1:] == ["key"]


def _unknown(field: str | None, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(field or "", known, n=1)
    hint = f" (did you mean '{{{near[0]}}}'?)" if near else ""
    return f"unknown field '{{{field}}}'; fields: {', '.join(known)}{hint}"
