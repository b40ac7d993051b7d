"""A provider's API: adds the key, sends once, never follows, and says how far a call came.

`read` is for calls that cost nothing; `post_once` is for the one that does. Both raise `CallFailed`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import aiohttp
from yarl import URL

from relightflow.backends.http import sessions
from relightflow.backends.http.hosts import ProviderHosts
from relightflow.backends.http.rate_limit_headers import date_of
from relightflow.backends.http.request_body import PhasedBody
from relightflow.backends.http.response import Response
from relightflow.backends.http.sanitize import shown
from relightflow.backends.http.server_clock import ServerClock, elapsed
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.network.body import TooLarge, Unreadable, read_body
from relightflow.network.certificates import ADVICE
from relightflow.network.session import (
    HttpSession,
    proxy_problem,
    refused_certificate,
    timeout,
    why_refused,
)

_READ_SECONDS = 30.0
UPLOAD_SECONDS = 180.0
"""For an image to leave over a slow line."""
BROKEN = (aiohttp.ClientError, OSError, TimeoutError, asyncio.TimeoutError, ValueError)
"""What a request may raise; ValueError is a malformed answer's."""


H = TypeVar("H", bound=ProviderHosts)


@dataclass(frozen=True, slots=True)
class Api(Generic[H]):
    session: HttpSession
    hosts: H
    key: str = field(repr=False)
    clocks: dict[URL, ServerClock] = field(default_factory=dict)
    """By origin: several hosts may have several clocks."""

    @property
    def _headers(self) -> dict[str, str]:
        return self.hosts.authorization(self.key)

    async def read(
        self,
        method: str,
        url: str,
        doing: str,
        *,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        cap: int = sessions.JSON_CAP,
        seconds: float = _READ_SECONDS,
    ) -> Response:
        """A free call's answer, whatever its status. `doing` completes 'could not …' messages.

        `body` is sent as JSON, `content` as it is. `headers` take the place of the key: what goes to a
        host that must not see it bears its own.
        """
        data = PhasedBody(encoded(body)) if body is not None else content
        sent = elapsed()
        try:
            async with self.session.request(
                method,
                url,
                data=data,
                params=params,
                headers=self._headers if headers is None else headers,
                timeout=timeout(seconds),
                allow_redirects=False,
            ) as response:
                late = self._heard(response, sent)
                content = await read_body(response, cap)
                return Response(response.status, response.headers, content, late)
        except TooLarge as error:
            raise CallFailed(Failure(FailureKind.TOO_LARGE, f"{doing}: {error}")) from None
        except Unreadable as error:
            raise CallFailed(Failure(FailureKind.UNAVAILABLE, f"{doing}: {error}")) from None
        except BROKEN as error:
            raise CallFailed(self._broken(error, doing)) from None

    def _heard(self, response: aiohttp.ClientResponse, sent: float) -> float:
        """How far the server's clock was past its `Date`, as far as all answers tell."""
        date = date_of(response.headers)
        if date is None:
            return 0.0
        came = elapsed()
        origin = response.url.origin()
        clock = self.clocks.get(origin) or self.clocks.setdefault(origin, ServerClock())
        clock.heard(date, sent, came)
        return clock.late(date, came)

    def server_time(self) -> float | None:
        """Unix seconds by the clock of the host that calls go to, as its answers told it; None
        before the first one. This machine's own time of day has no part in it."""
        clock = self.clocks.get(URL(self.hosts.api).origin())
        return clock.now(elapsed()) if clock else None

    def _broken(self, error: BaseException, doing: str) -> Failure:
        if refused_certificate(error):
            return bad_certificate(doing, error)
        words = f"{doing}: {reason(error, self.key)}; this is not billed"
        return Failure(FailureKind.UNSENT, words)

    async def post_once(
        self,
        url: str,
        body: Mapping[str, Any] | bytes,
        seconds: float,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[aiohttp.ClientResponse, float]:
        """Send the billable call, once, with `headers` beside the key. The answer, its body unread (the caller
        closes it), and how far the server's clock was past its `Date`.

        Raises `CallFailed` with UNSENT where the body certainly did not leave whole, REFUSED_SAFETY
        on a bad certificate, and UNKNOWN where no answer came to a body that may have arrived.
        """
        data = PhasedBody(body if isinstance(body, bytes) else encoded(body))
        sent = elapsed()
        try:
            response = await self.session.post(
                url,
                data=data,
                headers={**(headers or {}), **self._headers},
                timeout=timeout(seconds, total=UPLOAD_SECONDS + seconds * 2),
                allow_redirects=False,
            )
        except BROKEN as error:
            raise CallFailed(self._unanswered(error, data)) from None
        return response, self._heard(response, sent)

    async def post_whole(
        self,
        url: str,
        body: Mapping[str, Any] | bytes,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        *,
        statuses: bool = False,
    ) -> Response:
        """`post_once`, and the whole answer. Raises `CallFailed`; UNKNOWN where the answer cannot be read.

        `statuses`: the provider's statuses speak for themselves, so of any but 2xx the body may be missing.
        """
        response, late = await self.post_once(url, body, seconds, headers)
        async with response:
            return await self.whole(response, late, statuses=statuses)

    async def whole(
        self, response: aiohttp.ClientResponse, late: float, *, statuses: bool
    ) -> Response:
        """The answer of `post_once`, read; see `post_whole`. Raises `CallFailed`."""
        try:
            data = await read_body(response, sessions.JSON_CAP)
        except (TooLarge, Unreadable, *BROKEN) as error:
            if not statuses or 200 <= response.status < 300:
                words = (
                    f"{self.hosts.provider}'s answer could not be read ({reason(error, self.key)}). The "
                    f"call may have been billed: it is held and {self.hosts.doubts}"
                )
                failure = Failure(FailureKind.UNKNOWN, words, Billed.UNKNOWN, response.status)
                raise CallFailed(failure) from None
            data = b""
        return Response(response.status, response.headers, data, late)

    def _unanswered(self, error: BaseException, sent: PhasedBody) -> Failure:
        why = reason(error, self.key)
        if sent.released:
            words = (
                f"no answer came from {self.hosts.provider} ({why}), and the call may have been billed: it is "
                f"held and {self.hosts.doubts}"
            )
            return Failure(FailureKind.UNKNOWN, words, Billed.UNKNOWN)
        if refused_certificate(error):
            return bad_certificate(f"connecting to {self.hosts.provider}", error)
        words = f"{self.hosts.provider} is unreachable ({why}); the call was not sent, nothing was billed"
        return Failure(FailureKind.UNSENT, words)


_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def encoded(body: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """`body` as JSON. Raises ValueError where it holds what JSON cannot say."""
    return _JSON.encode(body).encode()


def bad_certificate(doing: str, error: BaseException) -> Failure:
    words = (
        f"{doing}: the host's certificate is not valid{why_refused(error)}, so nothing was sent. "
        f"{ADVICE}"
    )
    return Failure(FailureKind.REFUSED_SAFETY, words)


def reason(error: BaseException, *secrets: str) -> str:
    """Why a connection broke, for people: the kind of problem, the host where its name is the
    problem, no path, no secret."""
    if words := proxy_problem(error):
        return words
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        connecting = isinstance(error, aiohttp.ConnectionTimeoutError)
        return "the connection timed out" if connecting else "the request timed out"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the host name {shown(error.host)} could not be resolved"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer was cut short"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return shown(str(text), *secrets, longest=160)
