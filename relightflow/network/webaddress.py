"""Reads a web address in the one way that all would read it, or refuses it. Pure.

Parsers disagree about backslashes, control characters, several `@`, and addresses written as
`0x7f.1`, and whoever checks with one and connects with another is fooled. So what can be read in two
ways is refused, and what passes is put together again from its parts: that text is what is sent.
Only http and https. A host in another script is written in its ASCII form (IDNA, UTS 46).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, unquote, urljoin

from relightflow.network.addresses import public_address

LONGEST = 8192
_PARTS = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?:#.*)?",
    re.IGNORECASE | re.DOTALL,
)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HOST_PORT = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[0-9]{0,5}))?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"http": 80, "https": 443}
_KEPT = "".join(map(chr, range(0x21, 0x7F)))
"""Visible ASCII goes as it was written: a signature counts every character."""


class BadAddress(ValueError):
    """This is no web address that can be fetched; says why, without the address."""

    def __init__(self, reason: str, *, refused: bool = True) -> None:
        self.refused = refused
        """A safety rule says no; False: it is just no web address."""
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class WebAddress:
    scheme: str
    host: str
    """Lower-case ASCII name or IPv4 or IPv6 address; no brackets, no dot at the end."""
    port: int
    path: str
    query: str = field(default="", repr=False)
    """With its `?`, exactly as it is sent; may be a secret."""
    user: tuple[str, str] | None = field(default=None, repr=False)
    """Name and password, decoded."""

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self._usual else f":{self.port}")

    @property
    def text(self) -> str:
        """What is sent, without user and password. May hold a secret."""
        return self.origin + self.path + self.query

    @property
    def shown(self) -> str:
        """For people and files: no user, password, query, or parameters (`;sid=…`) of the path."""
        return self.origin + re.sub(r";[^/]*", "", self.path)

    @property
    def last(self) -> str:
        """The path's last part, decoded, without parameters; empty where the path has none."""
        return unquote(self.path.rpartition("/")[2].partition(";")[0])

    @property
    def private(self) -> bool:
        """Whether the host is spelt as a private address, or is this machine by name. Other names
        are for a resolver to check."""
        if _is_address(self.host):
            return not public_address(self.host)
        return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def _usual(self) -> bool:
        return self.port == _PORTS[self.scheme]

    def follow(self, location: str) -> WebAddress:
        """Where a redirect from here leads; user and password go nowhere else. Raises BadAddress."""
        location = location.strip(" ")
        _check_characters(location)
        try:
            there = urljoin(self.text, location)
        except ValueError:
            raise BadAddress(
                "it redirects to something other than an http(s) URL", refused=False
            ) from None
        found = parse(there)
        same = found.origin == self.origin
        return WebAddress(
            found.scheme,
            found.host,
            found.port,
            found.path,
            found.query,
            self.user if same else None,
        )


def parse(url: str) -> WebAddress:
    """The address that `url` is. Raises BadAddress; its message holds nothing of the address."""
    if len(url) > LONGEST:
        raise BadAddress(f"the URL is longer than {LONGEST} characters", refused=False)
    _check_characters(url)
    parts = _PARTS.fullmatch(url)
    if parts and " " in parts["authority"]:
        raise BadAddress("its host contains a space")
    if parts is None:
        if _SCHEME.match(url) and not url.lower().startswith(("http:", "https:")):
            raise BadAddress("only http and https URLs are supported")
        words = "not a URL: it must begin with https:// or http://"
        raise BadAddress(words, refused=False)
    scheme = parts["scheme"].lower()
    user, place = _authority(parts["authority"])
    host_port = _HOST_PORT.fullmatch(place)
    if host_port is None:
        raise BadAddress("its host and port are ambiguous")
    port = int(host_port["port"] or _PORTS[scheme])
    if not 0 < port < 65536:
        raise BadAddress(f"invalid port {port}", refused=False)
    path, query = (_quoted(parts[name] or "") for name in ("path", "query"))
    return WebAddress(scheme, _host(host_port["host"]), port, path or "/", query, user)


def shown(url: str) -> str:
    """Any text that was meant as an address, for people: without what may be a credential."""
    try:
        return parse(url).shown
    except BadAddress:
        return re.split(r"[?#;？＃；]", url.rpartition("@")[2])[0][:200] or "(no URL)"


def _check_characters(url: str) -> None:
    """Neither what nobody sees nor what parsers turn, drop or stop at. A plain space passes, and is
    quoted where it may stand: in path and query."""
    if "\\" in url:
        raise BadAddress("the URL contains a backslash, which programs interpret differently")
    printable = "".join(c for c in url if not "\udc80" <= c <= "\udcff").isprintable()
    if not printable:
        raise BadAddress("the URL contains an invisible character; write it as %20 or the like")


def _authority(text: str) -> tuple[tuple[str, str] | None, str]:
    user, at, place = text.rpartition("@")
    if "@" in user:
        raise BadAddress("the URL contains several @ before the path; write them as %40")
    if not at:
        return None, place
    name, _, password = user.partition(":")
    return (unquote(name), unquote(password)), place


def _host(text: str) -> str:
    if text.startswith("["):
        return _ipv6(text[1:-1])
    host = text.lower()
    if not text.isascii():
        host = _ascii(text)
    host = host.removesuffix(".")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return _ipv4(host, text)
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise BadAddress("its host is neither a name nor an IP address")
    return host


def _ipv6(text: str) -> str:
    if "%" in text:
        raise BadAddress(
            "its host is an IP address with a zone, which is valid on this machine only"
        )
    try:
        return str(IPv6Address(text))
    except AddressValueError:
        raise BadAddress("its host is neither a name nor an IP address") from None


def _ipv4(host: str, written: str) -> str:
    """Four decimal numbers and nothing else: all else is read as an address by some, not by others."""
    try:
        if written.isascii():
            return str(IPv4Address(host))
    except AddressValueError:
        pass
    raise BadAddress("its host is an IP address in an unusual notation; write four decimal numbers")


def _ascii(host: str) -> str:
    import idna  # deferred: large tables, for the few hosts that are not ASCII

    try:
        return idna.encode(host, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        raise BadAddress("its host is not a valid host name") from None


def _is_address(host: str) -> bool:
    return ":" in host or bool(_NUMBER.fullmatch(host.rpartition(".")[2]))


def _quoted(text: str) -> str:
    """Everything but visible ASCII as %XX of its UTF-8, or of the raw bytes that a header held."""
    return quote(text, safe=_KEPT, errors="surrogateescape")
