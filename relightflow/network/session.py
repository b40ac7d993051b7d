"""Sessions that do only what they are told, and a resolver that refuses private addresses.

A name is resolved once for a connection, every address is checked, and those are the addresses that
are connected to, so that a name cannot change its mind in between. No session follows redirects by
habit, keeps cookies, reads passwords from files, or unpacks answers by itself. An address written as
numbers never reaches a resolver: check it with `addresses.public_address`.

Where the operator's environment names a proxy, requests go through it: then the proxy resolves names,
so they are checked here as far as this machine can (`PublicOnly.screen`) before the proxy is asked.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client import _RequestContextManager
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from relightflow.network import certificates
from relightflow.network.addresses import host_matches, made_up_address, public_address
from relightflow.network.proxies import Proxies, internal_name, proxies

_CONNECT_SECONDS = 15.0
IDLE_SECONDS = 4.0
"""An idle connection older than this is not used again: servers close theirs after 5 s or more, and
a request must not meet a connection that is just being closed."""
_HEADER_BYTES = 64 << 10
"""Of one header field and of one status line; what browsers take, and more than aiohttp's 8 KiB."""
_SCREEN_SECONDS = 3.0
"""For this machine's look at a name that a proxy is to resolve: behind a proxy it often cannot tell."""


class PrivateAddress(OSError):
    """A name led to an address that is not of the open internet."""


class PublicOnly(AbstractResolver):
    """Resolves names, and refuses those that lead to any private address."""

    def __init__(self, *exempt: str, inner: AbstractResolver | None = None) -> None:
        """`exempt`: hosts whose address may be private; a leading dot means every name below."""
        self._exempt = exempt
        self._inner = inner or ThreadedResolver()
        self._screened: set[str] = set()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        private = [r["host"] for r in found if not public_address(r["host"])]
        if private and not host_matches(host, self._exempt):
            raise PrivateAddress(f"{host} has a private address ({private[0]})")
        return found

    async def screen(self, host: str) -> None:
        """Raises PrivateAddress for a name that a proxy must not be asked for, as far as can be told.

        A name that this machine cannot resolve, or for which it is given a made-up address (198.18.…,
        as some VPNs do), is the proxy's to judge.
        """
        if host in self._screened or host_matches(host, self._exempt):
            return
        if internal_name(host):
            raise PrivateAddress(f"{host} is a name of a private network")
        try:
            async with asyncio.timeout(_SCREEN_SECONDS):
                found = await self._inner.resolve(host)
        except OSError:  # TimeoutError is one
            found = []
        for one in found:
            if not (public_address(one["host"]) or made_up_address(one["host"])):
                raise PrivateAddress(f"{host} has a private address ({one['host']})")
        self._screened.add(host)

    async def close(self) -> None:
        await self._inner.close()


class HttpSession:
    """Requests that go straight or through a proxy, each as the environment says for its address."""

    def __init__(
        self, straight: aiohttp.ClientSession, proxied: aiohttp.ClientSession, found: Proxies
    ) -> None:
        self.straight = straight
        self.proxied = proxied
        self._proxies = found

    def request(
        self, method: str, url: str | URL, *, headers: Mapping[str, str] | None = None, **rest: Any
    ) -> _RequestContextManager:
        """As aiohttp's; `headers` go to the server, what the proxy wants to the proxy."""
        at = URL(url) if isinstance(url, str) else url
        proxy = self._proxies.find(at.scheme, at.raw_host or "", at.port)
        if proxy is None:
            return self.straight.request(method, url, headers=headers, **rest)
        wanted = dict(headers or {})
        if at.scheme == "http":  # no tunnel: one request, which the proxy reads
            wanted |= proxy.headers
        return self.proxied.request(
            method, url, headers=wanted, proxy=proxy.url, proxy_headers=proxy.headers, **rest
        )

    def get(self, url: str | URL, **rest: Any) -> _RequestContextManager:
        return self.request("GET", url, **rest)

    def head(self, url: str | URL, **rest: Any) -> _RequestContextManager:
        return self.request("HEAD", url, **rest)

    def post(self, url: str | URL, **rest: Any) -> _RequestContextManager:
        return self.request("POST", url, **rest)

    def proxy_of(self, url: str | URL) -> str:
        """The proxy between here and `url`, for messages; empty where there is none."""
        at = URL(url)
        proxy = self._proxies.find(at.scheme, at.raw_host or "", at.port)
        return proxy.shown if proxy else ""

    async def close(self) -> None:
        await self.straight.close()
        await self.proxied.close()

    async def __aenter__(self) -> HttpSession:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _CleanConnector(aiohttp.TCPConnector):
    """Gives no connection again on which something has come meanwhile that nobody had asked for: aiohttp would
    take it for the answer to the next request, and then each answer for that to the one after."""

    async def connect(self, *asked: Any, **named: Any) -> aiohttp.connector.Connection:
        while True:
            connection = await super().connect(*asked, **named)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


def session(
    resolver: AbstractResolver | None = None,
    headers: dict[str, str] | None = None,
    screen: PublicOnly | None = None,
    environ: Mapping[str, str] | None = None,
) -> HttpSession:
    """A session over `resolver` (left out: the system's, unchecked), which it closes.

    `screen` checks the names that a proxy is asked for. Raises UsageError where the environment names
    a proxy or certificates that cannot be used.
    """
    environ = os.environ if environ is None else environ
    found, trusted = proxies(environ), certificates.context(environ)
    watch = aiohttp.TraceConfig()
    if screen is not None:

        async def check(
            _session: aiohttp.ClientSession, _context: Any, about: aiohttp.TraceRequestStartParams
        ) -> None:
            await screen.screen(about.url.raw_host or "")

        watch.on_request_start.append(check)
    straight, proxied = (
        aiohttp.ClientSession(
            connector=_CleanConnector(
                limit=0,  # whoever sends decides how many; no second queue beneath
                keepalive_timeout=IDLE_SECONDS,
                resolver=names,
                use_dns_cache=False,
                ssl=trusted or True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            trace_configs=traces,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            headers={"User-Agent": "relightflow", "Accept-Encoding": "identity", **(headers or {})},
        )
        for names, traces in ((resolver, []), (None, [watch]))
    )
    return HttpSession(straight, proxied, found)


@lru_cache(maxsize=64)
def timeout(seconds: float, total: float | None = None) -> aiohttp.ClientTimeout:
    """At most `seconds` without a byte, and `total` (default: twice that) for everything."""
    return aiohttp.ClientTimeout(
        total=total or seconds * 2, sock_connect=_CONNECT_SECONDS, sock_read=seconds
    )


def proxy_problem(error: BaseException) -> str:
    """What a proxy said or did instead of passing a request on; empty where it was no proxy."""
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"the proxy {error.host}:{error.port} cannot be reached; check HTTPS_PROXY"
    if not isinstance(error, aiohttp.ClientHttpProxyError):
        return ""
    if error.status == 407:
        return (
            "the proxy wants a user name and password (407): "
            "HTTPS_PROXY=http://user:password@host:port"
        )
    words = "refused" if error.status in (400, 401, 403, 404, 405) else "could not make"
    return f"the proxy {words} the connection ({error.status})"


def refused_certificate(error: BaseException) -> bool:
    """Whether the other side could not prove who it is; other TLS problem passes."""
    return isinstance(error, aiohttp.ClientConnectorCertificateError) or isinstance(
        _certificate_error(error), ssl.SSLCertVerificationError
    )


def why_refused(error: BaseException) -> str:
    """What was wrong with the certificate, in parentheses after a space; empty where nobody says."""
    words = getattr(_certificate_error(error), "verify_message", "")
    return f" ({words})" if words else ""


def _certificate_error(error: BaseException) -> object:
    return getattr(error, "certificate_error", None) or error.__cause__
