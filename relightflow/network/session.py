"""Sessions that do only what they are told, and a resolver that refuses private addresses.

A name is resolved once for a connection, every address is checked, and those are the addresses that
are connected to, so that a name cannot change its mind in between. No session follows redirects by
habit, keeps cookies, reads the environment for proxies or passwords, or unpacks answers by itself.
An address written as numbers never reaches a resolver: check it with `addresses.public_address`.
"""

from __future__ import annotations

import socket
import ssl

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from relightflow.network.addresses import public_address

CONNECT_SECONDS = 15.0
IDLE_SECONDS = 4.0
"""An idle connection older than this is not used again: servers close theirs after 5 s or more, and
a request must not meet a connection that is just being closed."""


class PrivateAddress(OSError):
    """A name led to an address that is not of the open internet."""


class PublicOnly(AbstractResolver):
    """Resolves names, and refuses those that lead to any private address."""

    def __init__(self, exempt: str | None = None, inner: AbstractResolver | None = None) -> None:
        """`exempt`: the one host whose address may be private."""
        self._exempt = exempt
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if host != self._exempt and not all(public_address(r["host"]) for r in found):
            raise PrivateAddress(f"{host} has a private address")
        return found

    async def close(self) -> None:
        await self._inner.close()


def session(
    resolver: AbstractResolver | None = None, headers: dict[str, str] | None = None
) -> aiohttp.ClientSession:
    """A session over `resolver` (left out: the system's, unchecked), which it closes."""
    connector = aiohttp.TCPConnector(
        limit=0,  # whoever sends decides how many; no second queue beneath
        keepalive_timeout=IDLE_SECONDS,
        resolver=resolver,
        use_dns_cache=False,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        headers={"User-Agent": "relightflow", "Accept-Encoding": "identity", **(headers or {})},
    )


def timeout(seconds: float, total: float | None = None) -> aiohttp.ClientTimeout:
    """At most `seconds` without a byte, and `total` (default: twice that) for everything."""
    return aiohttp.ClientTimeout(
        total=total or seconds * 2, sock_connect=CONNECT_SECONDS, sock_read=seconds
    )


def refused_certificate(error: BaseException) -> bool:
    """Whether the other side could not prove who it is; other TLS problem passes."""
    inner = getattr(error, "certificate_error", None) or error.__cause__
    return isinstance(error, aiohttp.ClientConnectorCertificateError) or isinstance(
        inner, ssl.SSLCertVerificationError
    )
