"""The `urls` source: images from web addresses, in the order of the list.

Several are fetched at a time, a bounded number ahead of whoever iterates, so that memory stays flat
however long the list is. What was found is remembered (`memory.py`): an image that did not change
costs one conditional request, and `--offline` none. An address is held in memory only; names,
reasons and files have it without credentials, or as a hash.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from aiohttp.abc import AbstractResolver

from relightflow.images import BadImage
from relightflow.model.image import Image, Rejected
from relightflow.network.webaddress import BadAddress, WebAddress, parse, shown
from relightflow.plugins.records import SourceContext
from relightflow.plugins.source import StaleImage
from relightflow.sources.file_index import Known
from relightflow.sources.files import examine
from relightflow.sources.urls.download_cache import DownloadCache
from relightflow.sources.urls.failures import date
from relightflow.sources.urls.fetch import Fetcher, FetchLimits, FetchResult, NotFetched
from relightflow.sources.urls.lists import UrlEntry, entries
from relightflow.sources.urls.names import Names
from relightflow.sources.urls.prefetch import Loop, in_order
from relightflow.sources.urls.url_index import Remembered, UrlIndex, key

_T = TypeVar("_T")
_AHEAD = 256
"""Addresses that may be begun before their turn: one that is slow does not hold up the others."""
_UNKNOWN = "not cached, and --offline is set: run once without --offline"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An address of the list that may be asked for."""

    entry: UrlEntry
    name: str
    address: WebAddress


class Urls:
    """See the module; `options` are those of `builtin.URLS_SCHEMA`."""

    def __init__(
        self,
        context: SourceContext,
        limits: FetchLimits | None = None,
        resolver: AbstractResolver | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._context = context
        self._limits = limits or FetchLimits()
        self._resolver = resolver
        self._sleep = sleep
        self._kept = DownloadCache(context.cache)
        self._memory = UrlIndex(context.cache)
        self._lock = threading.Lock()
        self._loop: Loop | None = None
        self._fetcher: Fetcher | None = None

    def scan(self) -> Iterator[Image | Rejected]:
        listed = entries(self._context)
        self._memory.load(key(entry.url) for entry in listed)
        try:
            yield from in_order(self._wanted(listed), self._begin, _AHEAD)
        finally:
            self._memory.save()
            self._kept.prune()

    def read(self, image: Image) -> bytes:
        data = self._kept.get(image.sha256)
        if data is not None:
            return data
        if self._context.operator.offline:
            raise StaleImage(
                f"{image.name} is not cached on this machine, and --offline is set; run without "
                "--offline"
            )
        try:
            address = parse(image.locator)
            answer = self._started(lambda f: f.get(address, _always, bytes)).result()
        except (NotFetched, BadAddress) as error:
            raise StaleImage(f"{image.name} can no longer be downloaded: {error}") from None
        data = answer.value or b""
        if hashlib.sha256(data).hexdigest() != image.sha256:
            self._forget(image.locator)
            raise StaleImage(
                f"{image.name} changed on the server after it was planned; run again to use its "
                "current content"
            )
        self._kept.put(image.sha256, data)
        return data

    def close(self) -> None:
        with self._lock:
            loop, fetcher = self._loop, self._fetcher
            self._loop = self._fetcher = None
        if loop is not None:
            if fetcher is not None:
                loop.start(fetcher.close()).result()
            loop.close()

    def _wanted(self, listed: list[UrlEntry]) -> Iterator[_Wanted | Rejected]:
        names = Names()
        for entry in listed:
            try:
                address = parse(entry.url)
            except BadAddress as error:
                yield self._rejected(entry, str(error), error.refused)
                continue
            yield _Wanted(entry, names.give(address, entry.name), address)

    def _begin(self, wanted: _Wanted | Rejected) -> Future[Image | Rejected]:
        if isinstance(wanted, _Wanted):
            if not self._context.operator.offline:
                return self._started(lambda fetcher: self._found(fetcher, wanted))
            remembered = self._memory.find(key(wanted.entry.url))
            known: Image | Rejected = (
                self._image(wanted, remembered.known)
                if remembered
                else self._rejected(wanted.entry, _UNKNOWN)
            )
        else:
            known = wanted
        done: Future[Image | Rejected] = Future()
        done.set_result(known)
        return done

    async def _found(self, fetcher: Fetcher, wanted: _Wanted) -> Image | Rejected:
        own = key(wanted.entry.url)
        old = self._memory.find(own)
        try:
            answer = await fetcher.get(
                wanted.address, lambda at: _conditions(old, wanted.address, at), self._examined
            )
        except NotFetched as error:
            return self._rejected(wanted.entry, str(error), error.refused)
        except BadImage as error:
            return self._rejected(wanted.entry, str(error))
        if answer.value is None:
            assert old is not None
            return self._image(wanted, old.known)
        self._memory.add(own, _remembered(answer, answer.value, wanted.address))
        return self._image(wanted, answer.value)

    def _examined(self, data: bytes) -> Known:
        known = examine(data)
        self._kept.put(known.sha256, data)
        return known

    def _image(self, wanted: _Wanted, known: Known) -> Image:
        return Image(
            name=wanted.name,
            sha256=known.sha256,
            size=known.size,
            width=known.width,
            height=known.height,
            media_type=known.media_type,
            source=self._context.index,
            locator=wanted.entry.url,
            delivery=self._context.options.get("delivery", ""),
            url=wanted.entry.url,
        )

    def _rejected(self, entry: UrlEntry, reason: str, refused: bool = False) -> Rejected:
        words = f"{reason} ({entry.place})"
        return Rejected(shown(entry.url), words, self._context.index, refused)

    def _forget(self, url: str) -> None:
        """A server called it unchanged, and it is not: without this it would for ever."""
        with self._lock:
            self._memory.forget(key(url))
            self._memory.save()

    def _started(self, work: Callable[[Fetcher], Awaitable[_T]]) -> Future[_T]:
        with self._lock:
            if self._loop is None:
                self._loop = Loop()
            loop = self._loop

        async def run() -> _T:
            if self._fetcher is None:
                self._fetcher = Fetcher(
                    self._limits,
                    private=self._context.operator.allow_private_network,
                    resolver=self._resolver,
                    sleep=self._sleep,
                )
            return await work(self._fetcher)

        return loop.start(run())


def _always(_address: WebAddress) -> Mapping[str, str]:
    return {}


def _conditions(old: Remembered | None, first: WebAddress, at: WebAddress) -> Mapping[str, str]:
    """Headers that ask `at` only for what changed: validators are those of the address that gave
    them, and another may use the same for something else."""
    if old is None or (old.final or _hash(first)) != _hash(at):
        return {}
    named = {"If-None-Match": old.etag, "If-Modified-Since": old.modified}
    return {name: value for name, value in named.items() if value}


def _remembered(answer: FetchResult[Known], known: Known, first: WebAddress) -> Remembered:
    headers = answer.headers
    modified, sent = headers.get("Last-Modified", ""), headers.get("Date", "")
    final = "" if answer.final == first else _hash(answer.final)
    etag = headers.get("ETag", "")
    return Remembered(known, etag, modified if _settled(modified, sent) else "", final)


def _settled(modified: str, sent: str) -> bool:
    """Whether a time of whole seconds tells versions apart: not if it was just now (RFC 9110,
    8.8.2.2)."""
    changed, now = date(modified), date(sent)
    return bool(changed and now and now - changed >= timedelta(seconds=2))


def _hash(address: WebAddress) -> str:
    return key(address.text).hex()
