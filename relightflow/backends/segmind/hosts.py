"""Which hosts exist for us: three that get the key, and a few from which results may come.

Pure: names only. That a name does not lead to a private address is `network`'s to check, on the
address that is connected to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from relightflow.errors import UsageError
from relightflow.network.addresses import host_matches, public_address
from relightflow.store.rehearsal import on_this_machine

OVERRIDE = "RELIGHTFLOW_SEGMIND_URL"
"""Moves all three hosts for tests and rehearsals; the operator's to set, never a recipe's."""
SETTLING = "RELIGHTFLOW_SEGMIND_SETTLING"
"""Seconds after which a stand-in's request history is taken to be complete. Only a stand-in on this
machine can promise that; the provider's own records are given their time whatever this says."""

_OUTPUT_HOSTS = (
    ".segmind.com",
    "segmind-inference-io.s3.amazonaws.com",
    "segmind-inference-inputs.s3.amazonaws.com",
    "segmind-sd-models.s3.amazonaws.com",
)
"""Where the provider is known to serve files (images.segmind.com and its storage buckets). A leading
dot means every name below it. Buckets are named whole: anybody can own one called segmind-something."""

RESULTS = ("images.segmind.com", *_OUTPUT_HOSTS[1:])
"""The same without a wildcard: what is looked at before the first call."""

_MAX_URL = 8192


@dataclass(frozen=True, slots=True)
class Hosts:
    """Bases of the three API hosts, without a slash at the end."""

    api: str = "https://api.segmind.com"
    assets: str = "https://workflows-api.segmind.com"
    history: str = "https://api.spotprod.segmind.com"
    override: str = ""
    """scheme://host:port of the one server that stands for all three; empty in earnest."""
    outputs: tuple[str, ...] = _OUTPUT_HOSTS
    allowed: tuple[str, ...] = ()
    """Of those, the operator's own: their addresses may be private."""
    settling: float = math.inf
    """Seconds after which a call that the history lacks was never taken; inf: the engine's own word."""

    def submit(self, api: str, slug: str) -> str:
        return f"{self.api}/{api}/{slug}"

    def status(self, request_id: str) -> str:
        return f"{self.api}/v2/requests/{request_id}/status"

    def result(self, request_id: str) -> str:
        return f"{self.api}/v2/requests/{request_id}"

    @property
    def credits(self) -> str:
        return f"{self.api}/v1/get-user-credits"

    @property
    def upload(self) -> str:
        return f"{self.assets}/upload-asset"

    @property
    def request_history(self) -> str:
        return f"{self.history}/inference-request/request-history"


def from_environment(environment: Mapping[str, str], output_hosts: tuple[str, ...] = ()) -> Hosts:
    """The hosts in force. Raises `UsageError` where the override is no address of a server, or where
    the settling time is not a number."""
    allowed = tuple(host.lower() for host in output_hosts)
    outputs = _OUTPUT_HOSTS + allowed
    given = environment.get(OVERRIDE, "").strip()
    if not given:
        return Hosts(outputs=outputs, allowed=allowed)
    parts = _split(given)
    if parts is None or parts.username is not None or parts.query or parts.path.strip("/"):
        raise UsageError(f"{OVERRIDE} must be a server such as http://127.0.0.1:8080")
    if parts.scheme != "https" and not on_this_machine(parts.hostname or ""):
        raise UsageError(f"{OVERRIDE} may be plain http on this machine only; elsewhere use https")
    base = _origin(parts)
    settling = (
        _settling(environment.get(SETTLING, ""))
        if on_this_machine(parts.hostname or "")
        else math.inf
    )
    return Hosts(
        base, base, base, override=base, outputs=outputs, allowed=allowed, settling=settling
    )


def _settling(given: str) -> float:
    """Seconds; inf where nothing is given. Raises `UsageError`."""
    if not given.strip():
        return math.inf
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise UsageError(f"{SETTLING} must be a number of seconds, such as 3")
    return seconds


def refusal(hosts: Hosts, url: str, *, listed: bool = True) -> str:
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
