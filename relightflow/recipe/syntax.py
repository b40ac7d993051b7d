"""What a text that is no YAML gets wrong, in our words and at the same place, whichever parser noticed.

PyYAML's two parsers word their errors differently, and from release to release. What they agree on is
where they stopped and where that construct began; the rest is read off the text at these two places.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from relightflow.recipe.wording import quote

_NO_START = "@`%"
"""Characters that YAML reserves: no text without quotes begins with one."""
_INDENTED = "this line or the one before it is probably indented wrongly"
ESCAPE = "this escape stands for no character; write \\\\ for a backslash, or use single quotes"
_LINES = re.compile("\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class _Flaw:
    """`message` at `line` and `column`, both counted from 1."""

    message: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class _Stop:
    text: str
    found: int
    """Index of the character at which the parser stopped; the text's length at its end."""
    began: int | None
    """Index at which the construct begins that it was reading."""
    bracket: int | None
    """Index of the innermost bracket that is still open."""
    scanned: bool
    """It stopped within a word, and not between two."""

    @property
    def sign(self) -> str:
        return self.text[self.found : self.found + 1]

    @property
    def first(self) -> str:
        return "" if self.began is None else self.text[self.began]

    @property
    def before(self) -> str:
        """What stands before it in its line."""
        return self.text[: self.found].rpartition("\n")[2]


def flaw(error: yaml.MarkedYAMLError, text: str, bracket: int | None) -> _Flaw:
    """What `error` means. `bracket`: index of the innermost `[` or `{` that is open there."""
    text = text.rstrip(" \r\n")
    mark: Any = error.problem_mark or error.context_mark
    begun: Any = error.context_mark
    found = min(mark.index, len(text)) if mark else len(text)
    began = begun.index if begun and begun.index < len(text) else None
    scanned = isinstance(error, yaml.scanner.ScannerError)
    message, index = _explained(_Stop(text, found, began, bracket, scanned))
    lines = _LINES.split(text[:index])
    return _Flaw(message, len(lines), len(lines[-1]) + 1)


def _explained(stop: _Stop) -> tuple[str, int]:
    """The message, and the index at which it is told."""
    for explain in (_tab, _in_word, _in_brackets, _between):
        if said := explain(stop):
            return said
    return _INDENTED, stop.found


def _tab(stop: _Stop) -> tuple[str, int] | None:
    if stop.sign == "\t":
        return "a tab cannot indent; use spaces", stop.found
    return None


def _in_word(stop: _Stop) -> tuple[str, int] | None:
    """Where a text, a name or a marker is not what it begins as."""
    line = stop.text[stop.text.rfind("\n", 0, stop.found) + 1 :]
    if stop.bracket is None and line.startswith("%"):
        return "directives (%) are not supported; remove the line", stop.found - len(stop.before)
    if stop.scanned and stop.began is not None and stop.first in "\"'":
        backslash = stop.text.rfind("\\", stop.began, stop.found + 1)
        if stop.sign and backslash >= 0 and not line.startswith(("---", "...")):
            return ESCAPE, backslash
        return f"the {stop.first} that opens here is never closed", stop.began
    if stop.sign and stop.sign in _NO_START:
        return f"a text that begins with {stop.sign} needs quotes", stop.found
    for sign, index in ((stop.first, stop.began), (stop.sign, stop.found)):
        if sign and sign in "*&!" and index is not None and (stop.scanned or sign == "!"):
            return f"a text that begins with {sign} needs quotes", index
    if stop.scanned and stop.first and stop.first in "|>" and stop.began is not None:
        return f"after {stop.first} may follow only +, - and a digit from 1 to 9", stop.began
    return None


def _in_brackets(stop: _Stop) -> tuple[str, int] | None:
    if stop.bracket is None:
        return None
    opened = stop.text[stop.bracket]
    if not stop.sign:
        return f"the {opened} that opens here is never closed", stop.bracket
    if stop.sign == "," and re.search(r"[\[{,]\s*$", stop.text[: stop.found]):
        return "a value is missing before this comma", stop.found
    line = len(_LINES.split(stop.text[: stop.bracket]))
    close = "]" if opened == "[" else "}"
    return (
        f"a comma or {close} is missing before this; the {opened} stands in line {line}",
        stop.found,
    )


def _between(stop: _Stop) -> tuple[str, int] | None:
    """Where a word is right, and stands where it cannot."""
    if stop.sign == ":":
        return f"{_INDENTED}, or a text with ': ' in it needs quotes", stop.found
    if stop.sign and stop.sign in "]}":
        return f"this {stop.sign} closes nothing", stop.found
    if stop.before.strip() and stop.sign == "-":
        return "a list begins in a line of its own", stop.found
    if stop.scanned and stop.began is not None:
        word = _LINES.split(stop.text[stop.began :])[0]
        return (
            f"{quote(word.strip())} is not a key, because no ':' follows it on its line",
            stop.began,
        )
    if stop.sign and stop.before.strip():
        return "the value ends before this; put all of it in quotes", stop.found
    return None
