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
import os
import re
from collections.abc import Iterator, Mapping

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

MOST = 1000
"""Secrets that are registered; a list of addresses may have a million tokens."""


class _KnownSecrets:
    """The registered secrets of this process, and one pattern for all their forms."""

    def __init__(self) -> None:
        self.secrets: frozenset[str] = frozenset()
        self.pattern: re.Pattern[bytes] | None = None
        self._signs: tuple[bytes, ...] = ()
        """In lower case: every text with a secret contains one of them, and most others none."""

    def add(self, *secrets: str) -> None:
        new = {s for s in secrets if len(s) >= _SHORTEST} - self.secrets
        if not new or len(self.secrets) >= MOST:
            return
        self.secrets |= new
        longest_first = sorted(self.secrets, key=lambda secret: (-len(secret), secret))
        self.pattern = re.compile(b"|".join(map(_pattern, longest_first)))
        forms = (form.lower() for secret in longest_first for form in _unescaped(secret))
        self._signs = (*_ESCAPES, *dict.fromkeys(forms))

    def perhaps_in(self, data: bytes) -> bool:
        """False: no form of a secret is in `data`; many times faster than the pattern."""
        return any(map(data.lower().__contains__, self._signs))


_KNOWN = _KnownSecrets()


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
    if not _KNOWN.perhaps_in(data):
        return text
    found = _KNOWN.pattern.sub(GONE.encode(), data)
    return text if found == data else found.decode("utf-8", "surrogatepass")


def known_bytes(data: bytes) -> bytes:
    """`data` without registered secrets."""
    return data if _KNOWN.pattern is None else _KNOWN.pattern.sub(GONE.encode(), data)


def _pattern(secret: str) -> bytes:
    """What finds `secret` in bytes, however it is spelled."""
    spelled = b"(?i:" + b"".join(map(_one, secret)) + b")"
    return b"|".join((spelled, *map(re.escape, _encoded(secret))))


def _encoded(secret: str) -> list[bytes]:
    """In two bytes a character, in hexadecimal, and in base64."""
    plain = secret.encode("utf-8", "replace")
    fixed = [
        secret.encode("utf-16-le", "replace"),
        plain.hex().encode(),
        plain.hex().upper().encode(),
    ]
    return fixed + [form for before in range(3) for form in _in_base64(plain, before)]


_ESCAPES = (b"\\", b"%", b"&")
"""One of these is in every form that is escaped for JSON, a URL or HTML; a space may also be a `+`."""


def _unescaped(secret: str) -> list[bytes]:
    """Forms of a secret, of which every text that has it and none of `_ESCAPES` contains one, in any case.
    Empty where the secret may be spelled otherwise: every text contains that."""
    whole = secret if secret.isascii() and " " not in secret else ""
    return [whole.encode(), *_encoded(secret)]


def _one(character: str) -> bytes:
    """A character as it is, escaped for JSON (also twice), a URL or HTML, named or by its number, as any
    writer may choose for any character."""
    number, plain = ord(character), character.encode("utf-8", "replace")
    cases = dict.fromkeys((character, character.lower(), character.upper()))
    forms = [re.escape(case.encode("utf-8", "replace")) for case in cases]
    forms += [b"".join(b"%%(?:25)?%02x" % byte for byte in plain)]
    units = character.encode("utf-16-be", "replace").hex()
    escapes = b"".join(rb"\\{1,4}u" + units[at : at + 4].encode() for at in range(0, len(units), 4))
    forms += [escapes, b"&#0*%d;" % number, b"&#x0*%x;" % number]
    if number < 256:
        forms.append(rb"\\{1,2}x%02x" % number)
    if character in '"\\/':
        forms.append(rb"\\{1,4}" + re.escape(plain))
    if (named := html.escape(character)) != character:
        forms.append(re.escape(named.encode()))
    if character == " ":
        forms.append(rb"\+")
    return b"(?:" + b"|".join(forms) + b")"


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
