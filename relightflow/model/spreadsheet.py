"""Untrusted text, made safe for a cell of a table that a spreadsheet may open.

Source of the list: owasp.org, "CSV Injection", with the full-width signs that some programs take
for the plain ones. Quoting is the work of whoever writes the file.
"""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(text: str) -> str:
    """`text` as a cell that is never a formula: where it could begin one, `'` is put before it."""
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) else text


def plain_cell(text: str) -> str:
    """What `cell` was given, read back: the `'` that stands before a possible formula is dropped."""
    rest = text.removeprefix("'")
    return rest if cell(rest) == text else text
