"""Whom a connection believes: the system's authorities, and those that the operator's environment adds.

`SSL_CERT_FILE` is OpenSSL's variable and `AWS_CA_BUNDLE` Amazon's; here both hold for everything. They
add to what the system trusts and take nothing away, so that a company's own certificate is enough.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from relightflow.errors import UsageError

VARIABLES = ("SSL_CERT_FILE", "AWS_CA_BUNDLE")
ADVICE = (
    "If a proxy inspects the connection, name the file with its root certificate in SSL_CERT_FILE; "
    "there is no insecure mode"
)


def added(environ: Mapping[str, str]) -> str:
    """The certificates that the environment adds, as PEM; empty where there are none. Blocks.

    Raises UsageError for a file that cannot be read or holds no certificate.
    """
    return "\n".join(_text(name, environ[name]) for name in VARIABLES if environ.get(name))


def context(environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """For whoever makes connections; None: the system's own will do. Blocks. Raises UsageError."""
    pem = added(environ)
    return _trusting(pem) if pem else None


@lru_cache(maxsize=4)
def _trusting(pem: str) -> ssl.SSLContext:
    """The same for the same certificates: a system's whole list takes a tenth of a second to read."""
    made = ssl.create_default_context()
    made.load_verify_locations(cadata=pem)
    return made


@lru_cache(maxsize=4)
def _check(pem: str) -> None:
    """Raises SSLError where it holds no certificate."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem)


def _text(variable: str, path: str) -> str:
    try:
        pem = Path(path).read_text(encoding="utf-8", errors="replace")
        _check(pem)
    except OSError as error:  # SSLError is one
        why = "holds no certificate in PEM form" if isinstance(error, ssl.SSLError) else ""
        raise UsageError(
            f"{variable} names {path}, which {why or f'cannot be read ({error.strerror})'}; correct "
            "the path, or unset it"
        ) from None
    return pem
