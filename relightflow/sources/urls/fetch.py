"""Fetches one address: capped, timed, checked on every hop, tried again where that may help.

Nothing is sent to a private address unless the operator allowed it: an address in numbers is checked
before, a name when it is resolved, and a redirect like the first. Cookies, passwords of the environment
and credentials of another host are never sent.
"""

from __future__ import annotations

import asyncio
import base64
import random
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from relightflow.network.body import TooLarge, Unreadable, pieces
from relightflow.network.certificates import ADVICE
from relightflow.network.session import (
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
from relightflow.sources.urls.host_gate import HostAway, HostGate
from relightflow.sources.urls.memory_limit import MemoryLimit

T = TypeVar("T")
Headers = Mapping[str, str]

PRIVATE = (
    "private or loopback address, which a recipe cannot read; --allow-private-network allows it"
)
_REDIRECTS = (301, 302, 303, 307, 308)
_BROKEN = (aiohttp.ClientError, OSError, TimeoutError, ValueError)
"""What a request may raise; ValueError is a malformed answer's."""
_GIVEN = (200, 201, 203)
"""Statuses whose body is what was asked for, as in browsers."""
_CONNECT_SECONDS = 10.0
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
        self,
        reason: str,
        *,
        refused: bool = False,
        passing: bool = False,
        again: bool = False,
        limited: bool = False,
        known: bool = False,
    ) -> None:
        self.refused = refused
        self.passing = passing
        """Nothing is said about the image: another time it may be there."""
        self.again = again
        """It may work in a moment."""
        self.limited = limited
        """The host asked for patience, and its gate is closed until then: no try was made."""
        self.known = known or passing
        """What is known of the image from before still counts."""
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class FetchResult(Generic[T]):
    value: T | None
    """What was made of the body; None: unchanged (304)."""
    headers: Headers
    final: WebAddress
    """Where it was found, after redirects."""


@dataclass(frozen=True, slots=True)
class _Request(Generic[T]):
    """What a caller wants of one address."""

    conditions: Callable[[WebAddress], Headers]
    use: Callable[[bytes], T]


@dataclass(frozen=True, slots=True)
class _Turn(Generic[T]):
    """One request's turn at a host."""

    wish: _Request[T]
    gate: HostGate
    epoch: int
    first: bool
    """It is the address's first try."""

    def failed(self, why: str, connected: bool) -> None:
        self.gate.failed(self.epoch, why, connected, self.first)


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
        self._gates: dict[str, HostGate] = {}
        self._room = MemoryLimit(_ROOM)
        self._timeout = aiohttp.ClientTimeout(
            total=None,  # ours knows when it is not the server that is waited for
            sock_connect=_CONNECT_SECONDS,
            sock_read=limits.idle_seconds,
        )

    async def close(self) -> None:
        for gate in self._gates.values():
            await gate.close()
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
        gate = self._gate(address.host)
        tries = 0
        while True:
            try:
                async with gate.turn() as epoch, self._wide:
                    return await self._try(address, _Turn(wish, gate, epoch, tries == 0))
            except HostAway as away:
                raise NotFetched(str(away), passing=True) from None
            except NotFetched as failure:
                if failure.limited:
                    continue
                tries += 1
                if tries == self._limits.tries or not failure.again:
                    raise
            await self._sleep(random.uniform(0.25, 1.5))  # noqa: S311  no secret

    def _gate(self, host: str) -> HostGate:
        if host not in self._gates:
            now = asyncio.get_running_loop().time
            self._gates[host] = HostGate(self._limits.a_host, self._sleep, now)
        return self._gates[host]

    async def _try(self, address: WebAddress, turn: _Turn[T]) -> FetchResult[T]:
        try:
            async with asyncio.timeout(self._limits.seconds) as deadline:
                return await self._hops(address, turn, deadline)
        except NotFetched as failure:
            if not (failure.passing or failure.refused):
                turn.gate.answered()
            raise
        except TooLarge:
            megabytes = self._limits.bytes >> 20
            raise NotFetched(f"larger than {megabytes} MiB: make it smaller") from None
        except Unreadable as error:
            raise NotFetched(f"the server sent {error}") from None
        except _BROKEN as error:
            broken = self._broken(error)
            if broken.passing:
                turn.failed(str(broken), connected=False)
            raise broken from None

    async def _hops(
        self, address: WebAddress, turn: _Turn[T], deadline: asyncio.Timeout
    ) -> FetchResult[T]:
        seen: set[str] = set()
        for _ in range(self._limits.redirects + 1):
            if address.text in seen:
                raise NotFetched("redirect loop")
            seen.add(address.text)
            conditions = turn.wish.conditions(address)
            async with self._session.get(
                self._checked(address),
                headers={**conditions, **_authorization(address)},
                allow_redirects=False,
                timeout=self._timeout,
            ) as response:
                _paced(response, turn)
                if response.status == 304 and conditions:
                    turn.gate.answered()
                    return FetchResult(None, response.headers, address)
                if response.status not in _REDIRECTS:
                    value = await self._used(response, address, turn, deadline)
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
        turn: _Turn[T],
        deadline: asyncio.Timeout,
    ) -> T:
        if response.status not in _GIVEN:
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
            turn.gate.answered()
            return await asyncio.to_thread(lambda: turn.wish.use(b"".join(parts)))
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
            return NotFetched(words, refused=True, known=True)
        if words := proxy_problem(error):
            return NotFetched(words, passing=True, again=True)
        if isinstance(error, aiohttp.SocketTimeoutError):
            words = f"no data from the server for {self._limits.idle_seconds:g} s"
            return NotFetched(words, passing=True)
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return NotFetched("the connection timed out", passing=True, again=True)
        if isinstance(error, TimeoutError):
            words = f"the download took longer than {self._limits.seconds:g} s"
            return NotFetched(words, passing=True)
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return _unknown_name(error)
        if isinstance(error, aiohttp.ClientConnectorError):
            return NotFetched("its server is unreachable", passing=True, again=True)
        if isinstance(error, aiohttp.ClientResponseError | ValueError):
            return NotFetched("the server sent invalid HTTP", known=True)
        words = "the connection broke before the download was complete"
        return NotFetched(words, passing=True, again=True)


def _unknown_name(error: aiohttp.ClientConnectorDNSError) -> NotFetched:
    """A name server that does not answer may do so later; one that says no is believed."""
    inner = error.os_error
    soon = isinstance(inner, socket.gaierror) and inner.errno == socket.EAI_AGAIN
    words = f"its host name could not be resolved ({error.host}): correct it, or check the network"
    return NotFetched(words, passing=soon, again=soon, known=True)


def _paced(response: aiohttp.ClientResponse, turn: _Turn[T]) -> None:
    """Tell the gate of a host that has enough. Raises NotFetched for "come back later"."""
    status, headers = response.status, response.headers
    after = failures.retry_after(headers, time.time())
    words = f"the server is unavailable ({status}): try again later"
    if status == 429 or (status == 503 and after is not None):
        turn.gate.limited(turn.epoch, after, words)
        raise NotFetched(words, passing=True, limited=True)
    if failures.passing(status):
        turn.failed(words, connected=True)


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
    status = response.status
    words = failures.why(status, address, response.headers, start)
    soon = failures.passing(status)
    known = failures.expired(status, address, response.headers, start)
    return NotFetched(words, passing=soon, again=soon, known=known)
