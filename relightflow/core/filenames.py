"""The one sanitiser: turns untrusted names into relative paths that are harmless on every system.

The result is deterministic, in Unicode normal form NFC, unchanged when it is made safe again, and
never leaves the folder it is put in: no absolute path, no `..`, no control, invisible or
direction-changing character, no character or device name that Windows forbids, no leading dash or
dot, no part too long for a file system. What cannot stay becomes `_`, so two names may become
one: whoever writes files from them looks for collisions.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from unicodedata import normalize

MOST_PART = 200
"""UTF-8 bytes of one part: file systems allow 255, and a temporary file needs a suffix."""
MOST_PATH = 1000
"""UTF-8 bytes of a whole path: systems allow 1024 and more, and the folder comes before it."""
MOST_PARTS = 32

# Listed here and not asked of `unicodedata`, whose categories differ between versions of Python.
_FORBIDDEN = re.compile(
    r'[<>:"|?*\\/'
    "\x00-\x1f\x7f-\x9f"  # control characters
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # invisible letters and marks
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff"  # zero width, direction
    "\ud800-\udfff"  # half characters, from names that are not UTF-8
    "\U000e0000-\U000e0fff]"  # tags
)
_DEVICE = r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)"
_IS_DEVICE = re.compile(rf"{_DEVICE} *(?:\.|$)", re.IGNORECASE)
_PLAIN_PART = rf"(?!{_DEVICE}(?:\.|/|$))[a-z0-9_](?:[a-z0-9_.-]{{0,180}}[a-z0-9_-])?"
_PLAIN_PATH = re.compile(
    rf"{_PLAIN_PART}(?:/{_PLAIN_PART}){{0,{MOST_PARTS - 1}}}", re.IGNORECASE | re.ASCII
)
"""Paths that need nothing done: nearly all, and a million of them in a large plan."""
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}$")


def forbidden_in(text: str) -> tuple[str, ...]:
    """The characters of `text`, beside `/`, that no file name may have; each once, in order."""
    return tuple(dict.fromkeys(c for c in _FORBIDDEN.findall(text) if c != "/"))


def safe_text(text: str) -> str:
    """`text` as a piece of one part: no separator, nothing forbidden, never empty."""
    return _FORBIDDEN.sub("_", normalize("NFC", text)) or "_"


@lru_cache(maxsize=8192)
def safe_part(part: str) -> str:
    """`part` as one folder or file name."""
    part = safe_text(part)
    if part[0] in ".-" or part[0].isspace():
        part = "_" + part[1:]
    if part[-1] == "." or part[-1].isspace():
        part = part[:-1] + "_"
    if _IS_DEVICE.match(part):
        part = "_" + part
    return _cut(part)


def safe_path(path: str) -> str:
    """`path` as a relative path with `/`. A path too long or too deep keeps its file name; its
    folders become one, named by their hash."""
    if len(path) <= MOST_PATH and _PLAIN_PATH.fullmatch(path):
        return path
    parts = [safe_part(part) for part in path.split("/") if part] or ["_"]
    whole = "/".join(parts)
    if len(parts) > MOST_PARTS or len(whole.encode()) > MOST_PATH:
        folders = sha256("/".join(parts[:-1]).encode()).hexdigest()[:32]
        return f"{folders}/{parts[-1]}"
    return whole


def without_invisible(text: str) -> str:
    """`text` without the characters that some file systems pass over when they compare names."""
    return _FORBIDDEN.sub("", text)


def same_place(path: str) -> str:
    """Equal for two paths that are one file on a system that ignores case or Unicode form."""
    return path.lower() if path.isascii() else normalize("NFC", path.casefold())


def _cut(part: str) -> str:
    """At most `MOST_PART` bytes; the hash of what was cut keeps long names apart."""
    data = part.encode()
    if len(data) <= MOST_PART:
        return part
    found = _EXTENSION.search(part)
    end = f"-{sha256(data).hexdigest()[:16]}{found[0] if found else ''}"
    return data[: MOST_PART - len(end)].decode(errors="ignore") + end
