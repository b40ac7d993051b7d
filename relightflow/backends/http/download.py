"""Fetches a result: from allowed hosts only, without the key, capped, timed, resumed where cut.

Nothing here costs, so a cut download is taken up again from where it broke, a few times; after that
it is the engine's to try again later.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from relightflow.backends.http import sessions
from relightflow.backends.http.client import (
    BROKEN,
    bad_certificate,
    reason,
)
from relightflow.backends.http.hosts import ProviderHosts, refusal
from relightflow.backends.http.rate_limit_headers import reset_after
from relightflow.backends.http.response import KEPT, is_image_data
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.network import apart
from relightflow.network.addresses import host_matches
from relightflow.network.body import TooLarge, Unreadable, pieces
from relightflow.network.session import (
    HttpSession,
    PrivateAddress,
    refused_certificate,
    timeout,
)

_HOPS = 3
_RESUMES = 3
IDLE_SECONDS = 30.0
_TOTAL_SECONDS = 300.0
_CHECK_SECONDS = 10.0
_FAKE_ADDRESSES = (
    "results could not be downloaded from there, so nothing was sent and nothing was billed. A VPN or "
    "proxy program that answers names with addresses of its own (198.18.…) does that: set HTTPS_PROXY "
    "to its address, or allow the host with --output-host, or all with --allow-private-network"
)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(slots=True)
class _Partial:
    """What has come so far."""

    data: bytearray = field(default_factory=bytearray)
    validator: str = ""
    """The strong ETag that a resumed answer must bear."""


@dataclass(frozen=True, slots=True)
class Downloads:
    session: HttpSession
    hosts: ProviderHosts
    key: str = field(default="", repr=False)
    """Shown to a host of `hosts.keyed` that asks for it; empty: to none."""
    cap: int = sessions.IMAGE_CAP
    total_seconds: float = _TOTAL_SECONDS
    idle_seconds: float = IDLE_SECONDS

    async def fetch(self, url: str) -> bytes:
        """The image at `url`. Raises `CallFailed`; every failure says that it is paid."""
        partial = _Partial()
        url = url.strip(" ").replace(" ", "%20")
        try:
            async with asyncio.timeout(self.total_seconds):
                await self._whole(url, partial)
        except TooLarge as error:
            raise _failed(FailureKind.TOO_LARGE, f"the result is too large: {error}") from None
        except Unreadable as error:
            raise _failed(FailureKind.PENDING, f"the result could not be read: {error}") from None
        except BROKEN as error:
            raise _broken(error) from None
        data = bytes(partial.data)
        if not is_image_data(data):
            words = (
                f"{self.hosts.provider} did not return a supported image"
                if data
                else "the result is empty"
            )
            raise CallFailed(
                Failure(
                    FailureKind.BAD_RESULT,
                    f"{words}; it was paid for",
                    Billed.YES,
                    kept=data[:KEPT],
                )
            )
        return data

    async def check_hosts(self) -> None:
        """Ask the hosts that results come from, at no cost, before anything is bought.

        Raises CallFailed, unbilled: REFUSED_SAFETY where a result would be refused, UNSENT where none
        of them can be reached. A stand-in serves its results itself.
        """
        if self.hosts.override or not self.hosts.results:
            return
        found = await asyncio.gather(*map(self._unreachable, self.hosts.results))
        broken = [problem for problem in found if problem]
        worst = next((p for p in broken if p.kind is FailureKind.REFUSED_SAFETY), None)
        if worst or len(broken) == len(self.hosts.results):
            raise CallFailed(worst or broken[0])

    async def _unreachable(self, host: str) -> Failure | None:
        """Why nothing could be downloaded from `host`; None where it answers, whatever it says."""
        try:
            async with self.session.head(
                f"https://{host}/", allow_redirects=False, timeout=timeout(_CHECK_SECONDS)
            ):
                return None
        except BROKEN as error:
            if refused_certificate(error):
                return bad_certificate(f"checking {host}, where results come from", error)
            if (private := _private(error)) is not None:
                return Failure(FailureKind.REFUSED_SAFETY, f"{private}: {_FAKE_ADDRESSES}")
            words = f"results come from {host}, which cannot be reached ({reason(error)})"
            return Failure(FailureKind.UNSENT, f"{words}; nothing was sent, nothing was billed")

    async def serves(self, url: str) -> bool:
        """Whether `url` still answers to a HEAD; any doubt is a no. No key is sent."""
        if refusal(self.hosts, url, listed=False):
            return False
        try:
            async with self.session.head(
                url, allow_redirects=False, timeout=timeout(10.0)
            ) as response:
                return response.status == 200
        except BROKEN:
            return False

    async def _whole(self, url: str, partial: _Partial) -> None:
        """Fill `partial`, going on after each cut. Raises the last cut's exception."""
        for _ in range(_RESUMES):
            had = len(partial.data)
            try:
                await self._once(url, partial)
            except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError):
                if len(partial.data) == had:
                    raise
            else:
                return
        await self._once(url, partial)

    async def _once(self, url: str, partial: _Partial) -> None:
        """One request, over at most `_HOPS` redirects, each checked like the first."""
        for _ in range(_HOPS + 1):
            self._check(url)
            async with self._get(url, partial) as response:
                if response.status == 401 and self._may_see_key(url):
                    await self._with_key(url, partial)
                    return
                if response.status not in _REDIRECTS:
                    await self._body(response, partial)
                    return
                url = str(response.url.join(URL(response.headers.get("Location", ""))))
        raise _failed(
            FailureKind.REFUSED_SAFETY, f"the result is behind more than {_HOPS} redirects"
        )

    def _get(
        self, url: str, partial: _Partial, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self.session.get(
            url,
            headers={**_range(partial), **(headers or {})},
            allow_redirects=False,
            timeout=timeout(self.idle_seconds, self.total_seconds),
        )

    def _may_see_key(self, url: str) -> bool:
        host = urlsplit(url).hostname or ""
        own = host_matches(host, self.hosts.keyed) or urlsplit(url).hostname == _stand_in(
            self.hosts
        )
        return bool(self.key and self.hosts.keyed) and own

    async def _with_key(self, url: str, partial: _Partial) -> None:
        """The same request with the key. It is never followed elsewhere."""
        headers = self.hosts.authorization(self.key)
        async with self._get(url, partial, headers) as response:
            await self._body(response, partial)

    def _check(self, url: str) -> None:
        why = refusal(self.hosts, url)
        if not why and URL(url).host != _host(url):
            why = "it can be read in two ways"
        if why:
            words = f"the result's URL was refused: {why}. It is paid for; the URL is kept in the ledger"
            raise _failed(FailureKind.REFUSED_SAFETY, words)

    async def _body(self, response: aiohttp.ClientResponse, partial: _Partial) -> None:
        if not _continues(response, partial):
            if response.status != 200:
                raise _refused(response, self.hosts.kept)
            partial.data.clear()
        partial.validator = _validator(response)
        async for piece in pieces(response, self.cap - len(partial.data)):
            partial.data += piece


def _stand_in(hosts: ProviderHosts) -> str | None:
    return urlsplit(hosts.override).hostname


def exempt(hosts: ProviderHosts) -> tuple[str, ...]:
    """Hosts of results whose address may be private: the operator's own, and a stand-in."""
    override = _stand_in(hosts)
    return (*hosts.allowed, *([override] if override else []))


def fetch_apart(hosts: ProviderHosts, private: bool, url: str) -> bytes:
    """`Downloads.fetch` for a worker (`HasFetcher`): blocks, without a key, and keeps its connections.
    `private`: results may come from private addresses. Raises `CallFailed`."""

    async def fetch() -> bytes:
        return await _kept(hosts, private).fetch(url)

    return apart.run(fetch())


@lru_cache(maxsize=4)
def _kept(hosts: ProviderHosts, private: bool) -> Downloads:
    """Called in the worker's loop. To read the certificates takes longer than many a download."""
    session = sessions.download_session(*exempt(hosts), private=private)
    apart.at_exit(session)
    return Downloads(session, hosts)


def _host(url: str) -> str:
    found = re.match(r"https?://(?:\[([^\]]+)\]|([^/:?#]+))", url)
    return (found[1] or found[2]).lower() if found else ""


def _range(partial: _Partial) -> dict[str, str]:
    if not (partial.data and partial.validator):
        return {}
    return {"Range": f"bytes={len(partial.data)}-", "If-Range": partial.validator}


def _continues(response: aiohttp.ClientResponse, partial: _Partial) -> bool:
    begins = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return bool(
        response.status == 206
        and begins
        and int(begins[1]) == len(partial.data)
        and _validator(response) == partial.validator
    )


def _validator(response: aiohttp.ClientResponse) -> str:
    """A strong ETag of an answer that is not packed: only such a one can be resumed."""
    etag = response.headers.get("ETag", "")
    plain = response.headers.get("Content-Encoding", "identity") == "identity"
    return etag if plain and etag.startswith('"') else ""


def _refused(response: aiohttp.ClientResponse, kept: str) -> CallFailed:
    status = response.status
    if status in (403, 404, 410):
        words = f"the result is no longer at its URL ({status})" + (f"; {kept}" if kept else "")
        return _failed(FailureKind.EXPIRED, words, status)
    words = (
        f"the result cannot be downloaded now ({status}); it is paid for, the next run downloads it"
    )
    after = reset_after(response.headers) if status in (429, 503) else None
    return _failed(FailureKind.PENDING, words, status, after)


def _broken(error: BaseException) -> CallFailed:
    if refused_certificate(error):
        failure = bad_certificate("downloading a result", error)
        return CallFailed(Failure(failure.kind, failure.message, Billed.YES))
    if (private := _private(error)) is not None:
        words = f"the result was not downloaded: {private}. It is paid for; --output-host allows it"
        return _failed(FailureKind.REFUSED_SAFETY, words)
    words = (
        f"the result could not be downloaded ({reason(error)}); it is paid for, the next run "
        "downloads it"
    )
    return _failed(FailureKind.PENDING, words)


def _private(error: BaseException) -> PrivateAddress | None:
    inner = getattr(error, "os_error", error)
    return inner if isinstance(inner, PrivateAddress) else None


def _failed(
    kind: FailureKind, words: str, status: int | None = None, after: float | None = None
) -> CallFailed:
    return CallFailed(Failure(kind, words, Billed.YES, status, after))
