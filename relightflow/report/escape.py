"""Untrusted text, made safe for the place where it is shown.

Names of files, values of recipes and answers of servers may hold anything. Whoever shows them
passes them through the function for that place; whatever cannot be seen becomes a visible escape.
"""

from __future__ import annotations

import html as _html
import re
import unicodedata
from collections.abc import Callable

from relightflow.model.spreadsheet import cell

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories that no reader can see or that move the cursor, a line's end or its direction."""
_JOINERS = "\u200c\u200d"
"""Letters of Persian and Hindi names and of emoji need them; they reorder nothing."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-!|~&:@])")
_COMMANDS = (
    # GitHub, at the start of a line
    re.compile(r"^\s*(:)(?=:)", re.MULTILINE),
    # ##[group] of GitHub and Azure, ##vso[…] of Azure, ##teamcity[…]: anywhere in a line
    re.compile(r"#(#)(?=[\w.-]*\[)"),
    # Buildkite's headings
    re.compile(r"^\s*([-+~^])(?=([-+~^])\2\s)", re.MULTILINE),
    # GitLab's and Travis's sections
    re.compile(r"(?:section|travis)(_)(?=(?:start|end|fold|time):)"),
)
"""What a CI system takes for a command in a log; the group is the character to be spelled out."""


def terminal(text: str) -> str:
    """`text` on one line of a terminal: control characters, ESC and bidi marks as `\\x1b`."""
    if text.isprintable():
        return text
    return "".join(character if _visible(character) else _escape(character) for character in text)


def lines(text: str) -> str:
    """Like `terminal`, for text of ours that has several lines."""
    return "\n".join(terminal(line) for line in text.split("\n"))


def log(text: str) -> str:
    """`text` in which no CI system that keeps it as a log finds a command.

    Done everywhere and not only where such a system is noticed: in a container none of its variables
    may be set. Sources of the syntax: "Workflow commands for GitHub Actions" (docs.github.com; the
    older form is still read anywhere in a line), "Logging commands" (Azure Pipelines), "Service
    messages" (TeamCity), "Managing log output" (Buildkite), "Custom collapsible sections" (GitLab).
    """
    return _without_commands(text, _escape)


def json_log(line: str) -> str:
    """The same for a line of JSON, which stays the same JSON: only text in it can hold a command."""
    return _without_commands(line, lambda character: f"\\u{ord(character):04x}")


def _without_commands(text: str, spelled: Callable[[str], str]) -> str:
    def replaced(found: re.Match[str]) -> str:
        at = found.start(1) - found.start()
        whole = found[0]
        return f"{whole[:at]}{spelled(whole[at])}{whole[at + 1 :]}"

    for command in _COMMANDS:
        text = command.sub(replaced, text)
    return text


def csv(text: str) -> str:
    """`text` as a CSV cell that no spreadsheet takes for a formula. Quoting is the writer's work."""
    return cell(text)


def markdown(text: str) -> str:
    """`text` inside a line or a table cell of Markdown, as it reads: no link, no HTML, no mention."""
    return _MARKDOWN.sub(r"\\\1", terminal(text)).replace("\\<", "&lt;").replace("\\>", "&gt;")


def html(text: str) -> str:
    """`text` between tags or inside a quoted attribute of HTML."""
    return _html.escape(terminal(text), quote=True)


def width(text: str) -> int:
    """How many columns of a terminal `text` takes: wide letters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def fit(text: str, columns: int) -> str:
    """`text` in at most so many columns; what does not fit is left out of its middle."""
    if width(text) <= columns:
        return text
    room = max(columns - 1, 0)
    head = _prefix(text, (room + 1) // 2)
    tail = _prefix(text[::-1], room - width(head))[::-1]
    return f"{head}…{tail}"[: max(columns, 0)]


def _prefix(text: str, columns: int) -> str:
    taken = 0
    for position, character in enumerate(text):
        taken += _columns(character)
        if taken > columns:
            return text[:position]
    return text


def _columns(character: str) -> int:
    if unicodedata.combining(character) or character in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _visible(character: str) -> bool:
    return unicodedata.category(character) not in _HIDDEN or character in _JOINERS


def _escape(character: str) -> str:
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # a byte of a file name that is no UTF-8
        return f"\\x{number - 0xDC00:02x}"
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if known:
        return known
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
