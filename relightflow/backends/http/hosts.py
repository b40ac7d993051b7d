"""Which hosts exist for a provider: those that get the key, and those from which results may come.

Pure: names only. That a name does not lead to a private address is the session's to check, on the
address that is connected to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from relightflow.errors import UsageError
from relightflow.network.addresses import host_matches, public_address
from relightflow.store.rehearsal import on_this_machine

_MAX_URL = 8192


@dataclass(frozen=True, slots=True)
class ProviderHosts:
    """What the shared parts need to know of a provider's hosts."""

    provider: str
    """Its name, for messages."""
    api: str
    """Base of the host that billable calls go to, without a slash at the end; its clock is the one that
    counts."""
    variable: str = ""
    """The operator's environment variable that moves all of them, for tests and rehearsals; never a recipe's to
    set."""
    settled: str = ""
    """The one that holds `settling`; empty: there is none."""
    bases: tuple[str, ...] = ()
    """Fields beside `api` that hold bases of the provider's other hosts."""
    override: str = ""
    """scheme://host:port of the one server that stands for all of them; empty: none does."""
    key_header: str = "Authorization"
    """The header that carries the key; empty: there is no key."""
    key_scheme: str = "Bearer "
    """What stands before the key there."""
    outputs: tuple[str, ...] = ()
    """Hosts that results may come from; a leading dot means every name below it."""
    allowed: tuple[str, ...] = ()
    """Of those, the operator's own: their addresses may be private."""
    results: tuple[str, ...] = ()
    """Hosts of results that are looked at before the first call; empty: none."""
    keyed: tuple[str, ...] = ()
    """Of `outputs`, those that get the key where they ask for it with 401; never before, and no other."""
    doubts: str = "looked up in the request history"
    """What becomes of a call without an answer, as half a sentence for messages."""
    exposure: str = "get a public address that cannot be revoked"
    """Who can see an uploaded image, as half a sentence for messages."""
    kept: str = ""
    """How long results are kept, as half a sentence for messages; empty: nobody says."""
    settling: float = math.inf
    """Seconds after which a call that the history lacks was never taken; inf: what the adapter and the
    engine reckon. Only a stand-in on this machine promises less."""

    def authorization(self, key: str) -> dict[str, str]:
        """The headers that carry `key`."""
        return {self.key_header: f"{self.key_scheme}{key}"} if self.key_header else {}

    @property
    def probe(self) -> str:
        """Where a free question is asked, whose answer tells the time of the host that calls go to."""
        return f"{self.api}/"


H = TypeVar("H", bound=ProviderHosts)


def overriding(
    environment: Mapping[str, str], variable: str, plain: bool = False
) -> tuple[str, str]:
    """(scheme://host:port, host) that the operator's `variable` names for tests and rehearsals; empty
    where it is not set. `plain`: http will do for any host, since no key is sent there. Raises UsageError
    where that is no address of a server."""
    given = environment.get(variable, "").strip()
    if not given:
        return "", ""
    parts = _split(given)
    if parts is None or parts.username is not None or parts.query or parts.path.strip("/"):
        raise UsageError(f"{variable} must be a server such as http://127.0.0.1:8080")
    host = parts.hostname or ""
    if parts.scheme != "https" and not plain and not on_this_machine(host):
        raise UsageError(f"{variable} may be plain http on this machine only; elsewhere use https")
    return _origin(parts), host


def in_force(usual: H, environment: Mapping[str, str], output_hosts: tuple[str, ...] = ()) -> H:
    """The hosts in force: `usual`, the operator's `output_hosts` beside them, and one server for all where
    its variable names it. Raises `UsageError` where a variable's value cannot be used."""
    allowed = tuple(host.lower() for host in output_hosts)
    hosts = replace(usual, outputs=usual.outputs + allowed, allowed=allowed)
    base, host = overriding(environment, usual.variable)
    if not base:
        return hosts
    moved: dict[str, Any] = dict.fromkeys(("api", "override", *usual.bases), base)
    if usual.settled and on_this_machine(host):
        moved["settling"] = _settling(environment, usual.settled)
    return replace(hosts, **moved)


def _settling(environment: Mapping[str, str], variable: str) -> float:
    """Seconds that the operator's `variable` names, after which a stand-in's history is complete; inf
    where it is not set. Only a stand-in on this machine can promise that. Raises `UsageError`."""
    given = environment.get(variable, "").strip()
    if not given:
        return math.inf
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise UsageError(f"{variable} must be a number of seconds, such as 3")
    return seconds


def refusal(hosts: ProviderHosts, url: str, *, listed: bool = True) -> str:
    """Why nothing may be fetched from `url`, in words; empty where its name is allowed.

    `listed` False: any public host will do (for the address of an uploaded image).
    """
    parts = _split(url)
    if parts is None:
        return "not an http(s) URL"
    if parts.username is not None:
        return "contains a user name"
    if hosts.override and _origin(parts) == hosts.override:
        return ""
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme != "https":
        return "not https"
    if parts.port not in (None, 443):
        return f"port {parts.port} is not the standard one"
    if listed and not host_matches(host, hosts.outputs):
        return f"host {host} is not one of the provider's; --output-host allows it"
    return "" if public(host) else "private address"


def public(host: str) -> bool:
    """False for a private IP address in any spelling, and for localhost. Other names: True."""
    if host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return public_address(host)
    except ValueError:
        # 2130706433, 0x7f.1, 127.1: names to us, addresses to the system's resolver
        return not re.fullmatch(r"\d+|0x[0-9a-f]*", host.rsplit(".", 1)[-1])


def _split(url: str) -> SplitResult | None:
    if len(url) > _MAX_URL or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    return parts if parts.scheme in ("http", "https") and host and host.isascii() else None


def _origin(parts: SplitResult) -> str:
    default = {"http": 80, "https": 443}[parts.scheme]
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = parts.port or default
    return f"{parts.scheme}://{host}" + ("" if port == default else f":{port}")
