"""Which proxy a request goes through, as the operator's environment says. Pure.

`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in lower case too (which then counts), as curl
and most programs read them. This machine itself is never asked for through a proxy, as in Go and in
browsers. aiohttp's own reading is not used: it knows no networks in NO_PROXY, and sends the passwords
of ~/.netrc as well.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit

from relightflow.core.redact import register
from relightflow.errors import UsageError

_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("localhost", "127.0.0.0/8", "::1")
_METADATA = ("169.254.169.254", "metadata.google.internal")
"""Where a cloud's machines get their credentials: never behind a proxy."""
_INTERNAL = ("local", "internal", "lan", "intranet", "corp", "home", "home.arpa", "localhost")
"""Last parts of names that no public name has: RFC 6762, RFC 8375, and ICANN's reserved ones."""


@dataclass(frozen=True, slots=True)
class Proxy:
    url: str
    """`http://host:port`, without user and password."""
    variable: str
    """Where it was named."""
    user: str = field(default="", repr=False)
    """`name:password`, as it was written; a secret."""

    @property
    def shown(self) -> str:
        return f"the proxy {self.url.partition('://')[2]} ({self.variable})"

    @property
    def headers(self) -> dict[str, str]:
        """What it wants to see of each request."""
        if not self.user:
            return {}
        word = base64.b64encode(unquote(self.user).encode()).decode()
        return {"Proxy-Authorization": f"Basic {word}"}

    @property
    def full(self) -> str:
        """With user and password; a secret."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{self.user}@{rest}" if self.user else self.url


@dataclass(frozen=True, slots=True)
class Proxies:
    http: Proxy | None = None
    https: Proxy | None = None
    excluded: tuple[str, ...] = ()
    """What goes straight: names (with all below them), addresses, networks, `*`; perhaps `:port`."""

    def find(self, scheme: str, host: str, port: int | None = None) -> Proxy | None:
        """The proxy for a request; None: it goes straight."""
        proxy = self.https if scheme == "https" else self.http
        if proxy is None:
            return None
        name = host.strip("[]").rstrip(".").lower()
        port = port or _PORTS.get(scheme, 0)
        excluded = any(_matches(name, port, entry) for entry in (*_LOOPBACK, *self.excluded))
        return None if excluded else proxy

    @property
    def exclusions(self) -> str:
        """For a library that reads NO_PROXY itself."""
        return ",".join((*_LOOPBACK, *_METADATA, *self.excluded))


def proxies(environ: Mapping[str, str]) -> Proxies:
    """Raises UsageError for a proxy that cannot be used."""
    http = _named(environ, "http_proxy")
    if "REQUEST_METHOD" in environ and not environ.get("http_proxy"):
        http = None  # a CGI: a client's header `Proxy:` arrives as HTTP_PROXY
    rest = _named(environ, "all_proxy")
    http, https = http or rest, _named(environ, "https_proxy") or rest
    excluded = re.split(r"[\s,]+", _value(environ, "no_proxy")[1])
    return Proxies(
        _proxy(*http) if http else None,
        _proxy(*https) if https else None,
        tuple(entry.lower() for entry in excluded if entry),
    )


def internal_name(host: str) -> bool:
    """Whether a name can only be one of a private network: no dot, or a reserved end."""
    name = host.rstrip(".").lower()
    return "." not in name or any(name.endswith(f".{end}") for end in _INTERNAL)


def _value(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """The variable and its text. One in lower case counts, even when it is empty."""
    name = name if name in environ else name.upper()
    return name, environ.get(name, "").strip()


def _named(environ: Mapping[str, str], name: str) -> tuple[str, str] | None:
    variable, text = _value(environ, name)
    return (variable, text) if text else None


def _proxy(variable: str, text: str) -> Proxy:
    parts = _parts(text if "://" in text else f"http://{text}")
    if parts is None:
        raise UsageError(
            f"{variable} is not a proxy that can be used; write it as http://proxy.example.com:3128, "
            "or unset it (socks is not supported)"
        )
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    user = parts.netloc.rpartition("@")[0]
    password = user.partition(":")[2]
    register(password, unquote(password))
    port = parts.port or _PORTS[parts.scheme]
    return Proxy(f"{parts.scheme}://{host}:{port}", variable, user)


def _parts(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in _PORTS and parts.hostname and (parts.port or 1)
    except ValueError:
        return None
    return parts if usable and text.isprintable() else None


def _matches(name: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]+):(\d+)", entry)
    if found:
        return port == int(found[2]) and _matches(name, port, found[1])
    entry = entry.strip("[]")
    try:
        address = ip_address(name)
    except ValueError:
        entry = entry.removeprefix("*").strip(".")
        return name == entry or name.endswith(f".{entry}")
    try:
        return address in ip_network(entry, strict=False)
    except (ValueError, TypeError):
        return False
