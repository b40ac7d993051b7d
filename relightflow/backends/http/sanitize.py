"""Makes a stranger's text fit for a message: no secrets, no control characters, not long.

Everything the provider says goes through `shown` before a person, a log or the ledger sees it.
"""

from __future__ import annotations

import html
import re
import unicodedata

from relightflow.core.redact import known

LONGEST = 300
"""Characters of a server's text that a message may hold."""

_KEY = re.compile(r"\bSG_[0-9A-Za-z]{6,}")
_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+[^,\s]{0,100},[A-Za-z0-9+/=%_-]*", re.IGNORECASE)
_URL = re.compile(r"\b(https?)://(?:[^\s/?#@\"'<>]*@)?([^\s/?#\"'<>]+)([^\s\"'<>]*)", re.IGNORECASE)
_NOT_TEXT = re.compile(r"(?is)<(script|style)\b.*?(</\1\s*>|$)|<[^>]{0,2000}>")


def shown(text: str, *secrets: str, longest: int = LONGEST) -> str:
    """`text` on one line, redacted and shortened. Markup is reduced to its words."""
    text = text[: longest * 40]
    if "<" in text and ">" in text:
        text = html.unescape(_NOT_TEXT.sub(" ", text))
    text = redacted(text, *secrets)
    text = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def redacted(text: str, *secrets: str) -> str:
    """`text` without keys, data URIs, and everything of a URL but its host.

    A result's URL needs no key, so its path is as secret as a signature in its query.
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[key]")
    text = known(_KEY.sub("[key]", text))
    text = _DATA_URI.sub("data:…", text)
    return _URL.sub(lambda m: f"{m[1]}://{m[2]}" + ("/…" if m[3] not in ("", "/") else ""), text)
