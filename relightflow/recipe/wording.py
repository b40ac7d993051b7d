"""How problems speak: values in quotes, paths, lists of what is allowed, the nearest name.

Everything that comes from a recipe goes through `quote` or `step`, so that no message carries a
control character, a mark that reorders text, or a page of somebody's data.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from itertools import islice
from typing import Any

from relightflow.model.values import Scalar

LONGEST = 60
"""Characters of a value that a message shows."""
MOST = 24
"""Allowed values that a message lists."""
COMPARED = 500
"""Allowed values that a wrong one is compared with; a recipe may have thousands, wrong ones too."""
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)


def printable(text: str) -> str:
    """`text` with everything that does not print as itself spelled out: `\\x1b`, `\\u202e`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def quote(value: Any, written: str = "") -> str:
    """A scalar for a message: text in quotes, other values as they were `written`."""
    if isinstance(value, str):
        short = value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
        return f"'{printable(short)}'"
    return plain(value, written)


def plain(value: Scalar, written: str = "") -> str:
    """A scalar without quotes, as it was `written` in the file, else as YAML spells it."""
    if written and not isinstance(value, str):
        return printable(written)
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return printable(str(value))


def describe(value: Any, written: str = "") -> str:
    """What stands there, kind first: `text 'two'`, `a list`, `nothing`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return plain(value, written)
    if isinstance(value, str):
        return f"text {quote(value)}"
    if isinstance(value, int | float):
        return f"the number {plain(value, written)}"
    return "a mapping" if isinstance(value, dict) else "a list"


def step(path: str, key: str | int) -> str:
    """`path` one step deeper: `matrix.light_type`, `sources[0]`, `matrix['a b']`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{quote(key)}]"
    return f"{path}.{key}" if path else key


def listed(names: Collection[Scalar]) -> str:
    """Names for a message, shortened where there are very many."""
    words = [plain(name) for name in islice(names, MOST)]
    rest = len(names) - MOST
    return ", ".join(words) + (f" and {rest} more" if rest > 0 else "")


def nearest(wrong: Any, allowed: Sequence[Scalar], cutoff: float = 0.4, written: str = "") -> str:
    """` (did you mean 'top'?)`, or nothing where no allowed value is near.

    Values are few and short, so a loose cutoff helps more than it misleads. Of very many only the
    first are looked at.
    """
    allowed = allowed[:COMPARED]
    text = plain(wrong, written)
    if any(type(a) is not type(wrong) and plain(a) == text for a in allowed):
        spelled = quote(text) if not isinstance(wrong, str) else text
        return f" (write it {'in' if spelled.startswith(chr(39)) else 'without'} quotes: {spelled})"
    if not isinstance(wrong, str) or len(wrong) > LONGEST:
        return ""
    folded = {a.casefold(): a for a in reversed(allowed) if isinstance(a, str)}
    near = difflib.get_close_matches(wrong.casefold(), folded, n=1, cutoff=cutoff)
    return f" (did you mean {quote(folded[near[0]])}?)" if near else ""
