"""Secrets taken out of text that people will paste: tracebacks above all.

Keys, the query and the user part of every URL, and the value of each environment variable whose
name says that it is a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

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


def redact(text: str, environ: Mapping[str, str]) -> str:
    """`text` without keys, without the secrets of `environ`, and with bare URLs."""
    secrets = (value for name, value in environ.items() if _SECRET_NAME.search(name))
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, GONE)
    text = _KEY.sub(GONE, text)
    text = _USER.sub("", text)
    return _QUERY.sub(r"\1", text)


def redacted(text: str) -> str:
    """`text` without keys, without the secrets of this process's environment, and with bare URLs."""
    return redact(text, os.environ)
