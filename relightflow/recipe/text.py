"""Bytes → the text of a recipe, or the reason why they are none.

UTF-8 and nothing else, at most 1 MiB. A byte-order mark at the very start is passed over, because
some editors write it unasked; line ends may be LF or CRLF. Characters that YAML does not print, and
the three line separators that only some readers count as lines, are refused where they stand, so
that the line and column of every later message are those an editor shows.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from relightflow.errors import InvalidRecipe, Problem
from relightflow.recipe.wording import printable

LARGEST = 1024 * 1024
"""Bytes."""
_UNREADABLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_bytes(path: Path) -> bytes:
    """The recipe's bytes. Never blocks on a pipe or a device; raises InvalidRecipe."""
    file = printable(str(path))
    try:
        # O_NONBLOCK: opening a named pipe that nobody writes to must not wait
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise _whole(file, "file not found") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise _whole(file, f"cannot be read: {reason}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _whole(file, "is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(LARGEST + 1)
    except OSError as error:
        raise _whole(file, f"cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)


def decode(data: bytes, file: str) -> str:
    """The text in `data`, without a byte-order mark. `file` names it in messages."""
    if len(data) > LARGEST:
        raise _whole(file, "is larger than 1 MiB; put long lists of images into a separate file")
    if data.startswith(_UTF16) or data[:2].count(0) == 1:
        raise _whole(file, "is UTF-16 or UTF-32; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        wrong = f"the byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise _at(file, before, wrong) from None
    bad = _UNREADABLE.search(text)
    if bad:
        sign = f"U+{ord(bad.group()):04X}"
        raise _at(file, text[: bad.start()], f"the character {sign} is not allowed in a recipe")
    return text


def _at(file: str, before: str, message: str) -> InvalidRecipe:
    lines = re.split("\r\n|\r|\n", before)
    return InvalidRecipe([Problem(file, len(lines), len(lines[-1]) + 1, "", message)])


def _whole(file: str, message: str) -> InvalidRecipe:
    return InvalidRecipe([Problem(file, 0, 0, "", message)])
