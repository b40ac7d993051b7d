"""Secrets taken out of whatever is shown or kept.

Whoever reads a secret registers it: from then on it is known in every form in which somebody else
might give it back (as it is, escaped for JSON, HTML or a URL, in hexadecimal, in base64 alone or in the
middle of other text) and taken out of text and bytes by `known` and `known_bytes`. `redact` also takes
out what only looks like a secret: keys, the query and the user part of every URL, and the value of each
environment variable whose name says so.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

GONE = "[removed]"
_KEY = re.compile(r"SG_[0-9A-Za-z]+")
_USER = re.compile(r"(?<=://)[^\s/?#@'\"]*@")
_QUERY = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?#'\"<>]*)[?#][^\s'\"<>]*", re.IGNORECASE)
_SECRET_NAME = re.compile(
    r"(KEY|SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL)(?!.*_(FILE|PATH|DIR)$)", re.IGNORECASE
)
"""A variable that names a file holds a path, which is no secret."""
_SHORTEST = 8
"""Characters; a shorter value is more likely a word than a secret."""

MOST = 2000
"""Secrets that are registered; a list of addresses may have a million tokens."""


class _Known:
    """The registered secrets of this process, and one pattern for all their forms."""

    def __init__(self) -> None:
        self.secrets: frozenset[str] = frozenset()
        self.pattern: re.Pattern[bytes] | None = None

    def add(self, *secrets: str) -> None:
        new = {s for s in secrets if len(s) >= _SHORTEST} - self.secrets
        if not new or len(self.secrets) >= MOST:
            return
        self.secrets |= new
        forms = {form for secret in self.secrets for form in forms_of(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self.pattern = re.compile(b"|".join(map(re.escape, longest_first)))


_KNOWN = _Known()


def register(*secrets: str) -> None:
    """Make secrets known to this process. Short ones are left out: they are more likely words."""
    _KNOWN.add(*secrets)


def register_environment(environ: Mapping[str, str]) -> None:
    """The values of variables whose name says that they are secrets."""
    register(*(value for name, value in environ.items() if _SECRET_NAME.search(name)))


def known(text: str) -> str:
    """`text` without registered secrets."""
    if _KNOWN.pattern is None:
        return text
    data = text.encode("utf-8", "surrogatepass")
    found = _KNOWN.pattern.sub(GONE.encode(), data)
    return text if found == data else found.decode("utf-8", "surrogatepass")


def known_bytes(data: bytes) -> bytes:
    """`data` without registered secrets."""
    return data if _KNOWN.pattern is None else _KNOWN.pattern.sub(GONE.encode(), data)


def forms_of(secret: str) -> Iterator[bytes]:
    """How `secret` may stand in a text."""
    plain = secret.encode("utf-8", "replace")
    yield plain
    once = json.dumps(secret)[1:-1]
    yield from (once.encode(), once.replace("/", "\\/").encode(), json.dumps(once)[1:-1].encode())
    for escaped in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield escaped.encode()
        yield re.sub("%..", lambda found: found[0].lower(), escaped).encode()
    yield html.escape(secret).encode()
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    yield "".join(f"\\u{ord(character):04x}" for character in secret).encode()
    yield secret.encode("utf-16-le", "replace")
    for before in range(3):
        yield from _in_base64(plain, before)


def _in_base64(plain: bytes, before: int) -> Iterator[bytes]:
    """What the base64 of a text surely has of `plain`, with so many other bytes (of 3) before it."""
    coded = base64.b64encode(bytes(before) + plain)
    begin = -(-before * 8 // 6)
    end = (before + len(plain)) * 8 // 6
    sure = coded[begin:end]
    yield from (sure, sure.replace(b"+", b"-").replace(b"/", b"_"), sure.replace(b"/", b"\\/"))


def redact(text: str, environ: Mapping[str, str]) -> str:
    """`text` without keys, without the secrets of `environ`, and with bare URLs."""
    secrets = (value for name, value in environ.items() if _SECRET_NAME.search(name))
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, GONE)
    text = known(text)
    text = _KEY.sub(GONE, text)
    text = _USER.sub("", text)
    return _QUERY.sub(r"\1", text)


def redacted(text: str) -> str:
    """`text` without keys, without the secrets of this process's environment, and with bare URLs."""
    return redact(text, os.environ)
