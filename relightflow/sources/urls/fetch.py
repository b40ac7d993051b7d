"""Fetches one address: capped, timed, checked on every hop, tried again where that may help.

Nothing is sent to a private address unless the operator allowed it: an address in numbers is checked
before, a name when it is resolved, and a redirect like the first. Cookies, proxies, passwords of the
environment and credentials of another host are never sent.
"""

from __future__ import annotations

import asyncio
import base64
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from relightflow.network.body import TooLarge, Unreadable, pieces
from relightflow.network.certificates import ADVICE
from relightflow.network.session import (
    CONNECT_SECONDS,
    PrivateAddress,
    PublicOnly,
    proxy_problem,
    refused_certificate,
    session,
    why_refused,
)
from relightflow.network.webaddress import BadAddress, WebAddress
from relightflow.sources.files import MAX_BYTES
from relightflow.sources.urls import failures
from relightflow.sources.urls.memory_limit import MemoryLimit

T = TypeVar("T")
Headers = Mapping[str, str]

PRIVATE = (
    "private or loopback address, which a recipe cannot read; --allow-private-network allows it"
)
_REDIRECTS = (301, 302, 303, 307, 308)
_BROKEN = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
"""What a request may raise; ValueError is a malformed answer's."""
_LONGEST_WAIT = 30.0
_SNIFFED = 4096
_FREELY = 2 << 20
"""Bytes of one body that need no `Room`."""
_ROOM = 128 << 20


@dataclass(frozen=True, slots=True)
class FetchLimits:
    bytes: int = MAX_BYTES
    seconds: float = 120.0
    """For all of one try, redirects included."""
    idle_seconds: float = 20.0
    """Without a byte."""
    redirects: int = 5
    tries: int = 3
    wide: int = 64
    """Requests at a time."""
    a_host: int = 16
    """Of those, to one host."""


class NotFetched(Exception):
    """Why there is no image; words without the address."""

    def __init__(
        self, reason: str, *, refused: bool = False, passing: bool = False, after: float = 0.0
    ) -> None:
        self.refused = refused
        self.passing = passing
        """It may work in a moment."""
        self.after = after
        """Seconds that the server asks to wait."""
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class FetchResult(Generic[T]):
    value: T | None
    """What was made of the body; None: unchanged (304)."""
    headers: Headers
    final: WebAddress
    """Where it was found, after redirects."""


@dataclass(slots=True)
class _Slot:
    permits: asyncio.Semaphore
    users: int = 0


@dataclass(frozen=True, slots=True)
class _Request(Generic[T]):
    """What a caller wants of one address."""

    conditions: Callable[[WebAddress], Headers]
    use: Callable[[bytes], T]


class Fetcher:
    """Make it inside the loop that it is used in."""

    def __init__(
        self,
        limits: FetchLimits,
        *,
        private: bool = False,
        resolver: AbstractResolver | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`private`: the operator allows private addresses."""
        names = resolver or ThreadedResolver()
        accept = {"Accept": "image/jpeg, image/png, image/webp, */*;q=0.5"}
        public = None if private else PublicOnly(inner=names)
        self._session = session(public or names, accept, screen=public)
        self._limits = limits
        self._private = private
        self._sleep = sleep
        self._wide = asyncio.Semaphore(limits.wide)
        self._slots: dict[str, _Slot] = {}
        self._room = MemoryLimit(_ROOM)
        self._timeout = aiohttp.ClientTimeout(
            total=None,  # ours knows when it is not the server that is waited for
            sock_connect=CONNECT_SECONDS,
            sock_read=limits.idle_seconds,
        )

    async def close(self) -> None:
        await self._session.close()

    async def get(
        self,
        address: WebAddress,
        conditions: Callable[[WebAddress], Headers],
        use: Callable[[bytes], T],
    ) -> FetchResult[T]:
        """What `use` makes of the body; it blocks, and is called in a thread.

        `conditions` says which headers make a request to an address conditional. Raises NotFetched,
        and what `use` raises.
        """
        wish = _Request(conditions, use)
        for last in (False,) * (self._limits.tries - 1) + (True,):
            try:
                return await self._try(address, wish)
            except NotFetched as failure:
                if last or not failure.passing or failure.after > _LONGEST_WAIT:
                    raise
                wait = failure.after
            await self._sleep(wait or random.uniform(0.25, 1.5))  # noqa: S311  no secret
        raise AssertionError("the last attempt ends differently")

    async def _try(self, address: WebAddress, wish: _Request[T]) -> FetchResult[T]:
        async with self._slot(address.host), self._wide:
            try:
                async with asyncio.timeout(self._limits.seconds) as deadline:
                    return await self._hops(address, wish, deadline)
            except TooLarge:
                megabytes = self._limits.bytes >> 20
                raise NotFetched(f"larger than {megabytes} MiB: make it smaller") from None
            except Unreadable as error:
                raise NotFetched(f"the server sent {error}") from None
            except _BROKEN as error:
                raise self._broken(error) from None

    @asynccontextmanager
    async def _slot(self, host: str) -> AsyncIterator[None]:
        slot = self._slots.setdefault(host, _Slot(asyncio.Semaphore(self._limits.a_host)))
        slot.users += 1
        try:
            async with slot.permits:
                yield
        finally:
            slot.users -= 1
            if not slot.users:
                del self._slots[host]

    async def _hops(
        self, address: WebAddress, wish: _Request[T], deadline: asyncio.Timeout
    ) -> FetchResult[T]:
        seen: set[str] = set()
        for _ in range(self._limits.redirects + 1):
            if address.text in seen:
                raise NotFetched("redirect loop")
            seen.add(address.text)
            conditions = wish.conditions(address)
            async with self._session.get(
                self._checked(address),
                headers={**conditions, **_authorization(address)},
                allow_redirects=False,
                timeout=self._timeout,
            ) as response:
                if response.status == 304 and conditions:
                    return FetchResult(None, response.headers, address)
                if response.status not in _REDIRECTS:
                    value = await self._used(response, address, wish, deadline)
                    return FetchResult(value, response.headers, address)
                address = _next(address, response.headers.get("Location", ""))
        raise NotFetched(f"more than {self._limits.redirects} redirects")

    def _checked(self, address: WebAddress) -> URL:
        """What is asked for, if it may be: the last look before a request."""
        if address.private and not self._private:
            raise NotFetched(PRIVATE, refused=True)
        url = URL(address.text, encoded=True)
        if (url.raw_host, url.port) != (address.host, address.port):
            raise NotFetched("the URL is ambiguous", refused=True)
        return url

    async def _used(
        self,
        response: aiohttp.ClientResponse,
        address: WebAddress,
        wish: _Request[T],
        deadline: asyncio.Timeout,
    ) -> T:
        if response.status != 200:
            start = await response.content.read(_SNIFFED)
            raise _not_given(response, address, start)
        parts: list[bytes] = []
        size = held = 0
        try:
            async for piece in pieces(response, self._limits.bytes):
                parts.append(piece)
                size += len(piece)
                if size > _FREELY and not held:
                    held = await self._make_room(response, deadline)
            deadline.reschedule(None)  # what follows is ours, not the server's
            return await asyncio.to_thread(lambda: wish.use(b"".join(parts)))
        finally:
            if held:
                self._room.give(held)

    async def _make_room(self, response: aiohttp.ClientResponse, deadline: asyncio.Timeout) -> int:
        """Waiting for other downloads is not the server's slowness."""
        packed = response.headers.get("Content-Encoding", "identity") != "identity"
        length = None if packed else response.content_length
        until, begun = deadline.when(), asyncio.get_running_loop().time()
        deadline.reschedule(None)
        held = await self._room.take(length or self._limits.bytes)
        if until is not None:
            deadline.reschedule(until + asyncio.get_running_loop().time() - begun)
        return held

    def _broken(self, error: BaseException) -> NotFetched:
        if isinstance(getattr(error, "os_error", error), PrivateAddress):
            return NotFetched(PRIVATE, refused=True)
        if refused_certificate(error):
            words = f"the server's certificate is not valid{why_refused(error)}. {ADVICE}"
            return NotFetched(words, refused=True)
        if words := proxy_problem(error):
            return NotFetched(words, passing=True)
        if isinstance(error, aiohttp.SocketTimeoutError):
            return NotFetched(f"no data from the server for {self._limits.idle_seconds:g} s")
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return NotFetched("the connection timed out", passing=True)
        if isinstance(error, TimeoutError):
            return NotFetched(f"the download took longer than {self._limits.seconds:g} s")
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            inner = error.os_error
            soon = isinstance(inner, socket.gaierror) and inner.errno == socket.EAI_AGAIN
            return NotFetched("its host name could not be resolved", passing=soon)
        if isinstance(error, aiohttp.ClientConnectorError):
            return NotFetched("its server is unreachable", passing=True)
        if isinstance(error, aiohttp.ClientResponseError | ValueError):
            return NotFetched("the server sent invalid HTTP")
        return NotFetched("the connection broke before the download was complete", passing=True)


def _next(address: WebAddress, location: str) -> WebAddress:
    if not location:
        raise NotFetched("redirect without a target")
    try:
        return address.follow(location)
    except BadAddress as error:
        raise NotFetched(f"redirect: {error}", refused=error.refused) from None


def _authorization(address: WebAddress) -> dict[str, str]:
    if address.user is None:
        return {}
    word = base64.b64encode(":".join(address.user).encode("utf-8", "surrogateescape"))
    return {"Authorization": f"Basic {word.decode()}"}


def _not_given(response: aiohttp.ClientResponse, address: WebAddress, start: bytes) -> NotFetched:
    words = failures.why(response.status, address, response.headers, start)
    asked = response.headers.get("Retry-After", "")
    after = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 0.0
    return NotFetched(words, passing=failures.passing(response.status), after=after)
