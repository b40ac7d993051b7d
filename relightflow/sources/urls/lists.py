"""Which addresses a `urls` source names: those in the recipe, then those of its list.

A list is text (an address a line), CSV (a column `url`, perhaps `name`) or JSON Lines (a key `url`,
perhaps `name`), by its extension. Empty lines are passed over, and so are lines that begin with `#`; in a table, where
a name may begin so, only those that name no URL, and it is said.
A list that cannot be read is an error with its line; its text is never shown, since it may hold a
credential.
"""

from __future__ import annotations

import csv
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, unquote, urlsplit

from relightflow.core.redact import register
from relightflow.errors import UsageError
from relightflow.plugins.records import SourceContext
from relightflow.sources.files import READ

MOST = 1_000_000
"""Addresses in one source: all are held in memory."""
LONGEST_LINE = 64 << 10
_SECRET = re.compile(
    r"sig(nature)?$|token|secret|passw|hmac|auth|credential|api.?key|^key$", re.IGNORECASE
)
"""Names in a query whose values are credentials; a size or a name must not be taken for one."""
_MOST_TOKENS = 100
"""That are taken out of other texts too; all are taken out of addresses."""


@dataclass(frozen=True, slots=True)
class UrlEntry:
    url: str = field(repr=False)
    """As it was written; may hold credentials."""
    name: str
    """What the list calls the image; empty: named by its address."""
    place: str
    """`list.csv:12` or `urls[3]`, for messages."""


def entries(
    context: SourceContext, tell: Callable[[str], None] = lambda _words: None
) -> list[UrlEntry]:
    """All that the source's options name, in order. `tell`: told in words what of the list was passed
    over. Raises UsageError, RefusedError."""
    options = context.options
    inline = options.get("urls", ())
    found = [UrlEntry(url.strip(" "), "", f"urls[{n}]") for n, url in enumerate(inline)]
    file = options.get("file")
    if file is not None:
        for entry in _listed(context, file, tell):
            found.append(entry)
            if len(found) > MOST:
                raise UsageError(f"{file}: more than {MOST:,} URLs; use several recipes")
    register(*islice((token for entry in found for token in tokens(entry.url)), _MOST_TOKENS))
    return found


def tokens(url: str) -> Iterator[str]:
    """What of an address is a credential: its user's password, and the values of its query that sign or admit."""
    if "@" not in url and "?" not in url:
        return
    with suppress(ValueError):
        parts = urlsplit(url)
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        yield from filter(None, (password, unquote(password), "" if password else user))
        for name, value in parse_qsl(parts.query):
            if _SECRET.search(name):
                yield value


def _listed(context: SourceContext, file: str, tell: Callable[[str], None]) -> Iterator[UrlEntry]:
    reader = _READERS.get(Path(file).suffix.lower())
    if reader is None:
        raise UsageError(f"{file}: the name of a URL list must end in {', '.join(_READERS)}")
    with _opened(context, file) as stream:
        lines = _Lines(stream, file)
        yield from reader(lines)
    if lines.comments:
        words = "1 row begins" if lines.comments == 1 else f"{lines.comments:,} rows begin"
        tell(f"{file}: {words} with # and names no URL: passed over as a comment")


def _opened(context: SourceContext, file: str) -> BinaryIO:
    """The list, if it is a regular file in the recipe's project, links followed."""
    place = context.place(file)
    try:
        path = os.path.realpath(place, strict=True)
        context.check_inside(Path(path), file)
        number = os.open(path, READ)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise UsageError(f"{file}: not a regular file")
    return os.fdopen(number, "rb")


class _Lines:
    """The lines of a list as text, each with its number, and errors that name it."""

    def __init__(self, stream: BinaryIO, file: str) -> None:
        self._stream = stream
        self.file = file
        self.number = 0
        self.comments = 0
        """Rows of a table that were passed over."""

    def __iter__(self) -> Iterator[str]:
        while line := self._stream.readline(LONGEST_LINE + 1):
            self.number += 1
            if len(line) > LONGEST_LINE:
                raise self.wrong(f"longer than {LONGEST_LINE >> 10} KiB")
            try:
                yield line.decode("utf-8-sig" if self.number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise self.wrong("not UTF-8 text") from None

    def meant(self) -> Iterator[str]:
        """Lines that are neither empty nor comments, without space around them."""
        for line in self:
            text = line.strip(" \t\r\n")
            if text and not text.startswith("#"):
                yield text

    @property
    def place(self) -> str:
        return f"{self.file}:{self.number}"

    def wrong(self, what: str) -> UsageError:
        return UsageError(f"{self.place}: {what}")


def _text(lines: _Lines) -> Iterator[UrlEntry]:
    for text in lines.meant():
        yield UrlEntry(text, "", lines.place)


def _csv(lines: _Lines) -> Iterator[UrlEntry]:
    rows = csv.reader(iter(lines), strict=True)
    columns: list[str] | None = None
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise lines.wrong(f"not valid CSV: {error}") from None
        if row is None:
            return
        if not any(cell.strip() for cell in row):
            continue
        if _is_comment(row, columns):
            lines.comments += 1
            continue
        if columns is None:
            columns = _columns(row, lines)
            continue
        if len(row) != len(columns):
            raise lines.wrong(f"it has {len(row)} columns, and the first line has {len(columns)}")
        facts = dict(zip(columns, row, strict=True))
        yield _entry(facts["url"], facts.get("name", ""), lines)


def _is_comment(row: list[str], columns: list[str] | None) -> bool:
    """Whether a row that begins with `#` is none of the table: a name may begin so, a URL cannot."""
    if not row[0].startswith("#"):
        return False
    if columns is None or len(row) != len(columns):
        return columns is not None or not {"url"} & {cell.strip() for cell in row}
    return row[columns.index("url")].strip().startswith("#")


def _columns(row: list[str], lines: _Lines) -> list[str]:
    columns = [cell.strip() for cell in row]
    if "url" not in columns:
        raise lines.wrong("the first line of a CSV must contain the column names, including `url`")
    if any(columns.count(name) > 1 for name in ("url", "name")):
        raise lines.wrong("duplicate column `url` or `name`")
    return columns


def _jsonl(lines: _Lines) -> Iterator[UrlEntry]:
    for text in lines.meant():
        try:
            facts: Any = json.loads(text)
        except (ValueError, RecursionError):
            raise lines.wrong("not a JSON object") from None
        if not isinstance(facts, dict):
            raise lines.wrong('not a JSON object such as {"url": "https://…"}')
        url, name = facts.get("url"), facts.get("name")
        if not isinstance(url, str) or not isinstance(name, str | None):
            raise lines.wrong("`url` and `name` must be text")
        yield _entry(url, name or "", lines)


def _entry(url: str, name: str, lines: _Lines) -> UrlEntry:
    if not url.strip():
        raise lines.wrong("its `url` is empty")
    return UrlEntry(url.strip(" "), name.strip(), lines.place)


_READERS: dict[str, Callable[[_Lines], Iterator[UrlEntry]]] = {
    ".txt": _text,
    ".csv": _csv,
    ".jsonl": _jsonl,
}
