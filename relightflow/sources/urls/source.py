"""The `urls` source: images from web addresses, in the order of the list.

Several are fetched at a time, a bounded number ahead of whoever iterates, so that memory stays flat
however long the list is. What was found is remembered (`url_index.py`): an image that did not change
costs one conditional request, and `--offline` none. New addresses are asked first and known ones last;
each is asked once, however often it is listed. Where the way to a known image is broken, what is known
counts, and that is told. An address is held in memory only; names, reasons and files have it without
credentials, or as a hash.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import TypeAlias

from aiohttp.abc import AbstractResolver

from relightflow.images import BadImage
from relightflow.model.image import Found, Image, Rejected, Remark
from relightflow.network.webaddress import BadAddress, WebAddress, parse, shown
from relightflow.plugins.records import SourceContext
from relightflow.plugins.source import SourceUnavailable, StaleImage
from relightflow.sources.file_index import Known
from relightflow.sources.files import bytes_of, examine
from relightflow.sources.urls.download_cache import DownloadCache
from relightflow.sources.urls.failures import date
from relightflow.sources.urls.fetch import Fetcher, FetchLimits, FetchResult, NotFetched
from relightflow.sources.urls.lists import UrlEntry, entries
from relightflow.sources.urls.names import Names
from relightflow.sources.urls.pool import Pool
from relightflow.sources.urls.prefetch import in_order
from relightflow.sources.urls.url_index import Remembered, UrlIndex, key

_Answer: TypeAlias = Known | BadImage | NotFetched
"""What is at an address, whoever lists it."""
_BATCH = 10_000
"""Addresses among which the new ones come first."""
_AHEAD = 2048
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
        self._kept = DownloadCache(context.cache)
        self._memory = UrlIndex(context.cache)
        self._lock = threading.Lock()

        def fetcher() -> Fetcher:
            private = context.operator.allow_private_network
            return Fetcher(limits or FetchLimits(), private=private, resolver=resolver, sleep=sleep)

        pool = context.shared.setdefault("urls", Pool(fetcher))
        assert isinstance(pool, Pool)
        self._pool = pool
        pool.users += 1
        self._repeated: dict[bytes, asyncio.Task[_Answer] | None] = {}
        self._unchecked: Counter[tuple[str, str]] = Counter()

    def scan(self) -> Iterator[Found]:
        remarks: list[str] = []
        listed = entries(self._context, remarks.append)
        yield from (Remark(words, "file", self._context.index) for words in remarks)
        counted = Counter(key(entry.url) for entry in listed)
        self._memory.load(counted)
        self._repeated = {own: None for own, times in counted.items() if times > 1}
        self._unchecked.clear()
        wanted = self._wanted(listed)
        try:
            while batch := list(islice(wanted, _BATCH)):
                yield from self._scanned(batch)
        finally:
            self._memory.save()
            self._kept.prune()
        self._tell()

    def _scanned(self, batch: list[_Wanted | Rejected]) -> Iterator[Image | Rejected]:
        """In the order of the list; asked in another one, new addresses first."""
        order = sorted(range(len(batch)), key=lambda place: self._is_known(batch[place]))
        found: dict[int, Image | Rejected] = {}
        due = 0
        asked = in_order((batch[place] for place in order), self._begin, _AHEAD)
        for place, item in zip(order, asked, strict=True):
            found[place] = item
            while due in found:
                yield found.pop(due)
                due += 1

    def _tell(self) -> None:
        """Which known images could not be checked, and why."""
        for (host, why), times in self._unchecked.items():
            images = "1 image" if times == 1 else f"{times:,} images"
            self._context.notice(
                f"{images} of {host} could not be checked ({why}); used as last downloaded"
            )

    def reader(self, image: Image) -> Callable[[], bytes] | None:
        """What was downloaded for the plan, as long as it is kept: an address stays on this machine."""
        path = self._kept.file(image.sha256)
        return partial(bytes_of, str(path)) if path else None

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
            answer = self._pool.start(lambda f: f.get(address, _always, bytes)).result()
        except (NotFetched, BadAddress) as error:
            if isinstance(error, NotFetched) and error.passing:
                raise SourceUnavailable(f"{image.name} cannot be downloaded now: {error}") from None
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
        self._pool.leave()

    def _wanted(self, listed: list[UrlEntry]) -> Iterator[_Wanted | Rejected]:
        names = Names()
        for entry in listed:
            try:
                address = parse(entry.url)
            except BadAddress as error:
                yield self._rejected(entry, str(error), error.refused)
                continue
            yield _Wanted(entry, names.give(address, entry.name), address)

    def _is_known(self, wanted: _Wanted | Rejected) -> bool:
        return isinstance(wanted, _Wanted) and bool(self._memory.find(key(wanted.entry.url)))

    def _begin(self, wanted: _Wanted | Rejected) -> Future[Image | Rejected]:
        done: Future[Image | Rejected] = Future()
        if isinstance(wanted, Rejected):
            done.set_result(wanted)
            return done
        own = key(wanted.entry.url)
        remembered = self._memory.find(own)
        offline = self._context.operator.offline
        if offline or (remembered and own in self._pool.asked):
            known = self._image(wanted, remembered.known) if remembered else None
            done.set_result(known or self._rejected(wanted.entry, _UNKNOWN))
            return done
        return self._pool.start(lambda fetcher: self._found(fetcher, wanted, own))

    async def _found(self, fetcher: Fetcher, wanted: _Wanted, own: bytes) -> Image | Rejected:
        answer = await self._answer(fetcher, wanted, own)
        if isinstance(answer, Known):
            return self._image(wanted, answer)
        refused = isinstance(answer, NotFetched) and answer.refused
        passing = isinstance(answer, NotFetched) and answer.passing
        return self._rejected(wanted.entry, str(answer), refused, passing)

    async def _answer(self, fetcher: Fetcher, wanted: _Wanted, own: bytes) -> _Answer:
        """What is at an address: asked by the first of those that are listed with it."""
        if own not in self._repeated:
            return await self._asked(fetcher, wanted, own)
        task = self._repeated[own]
        if task is None:
            task = self._repeated[own] = asyncio.ensure_future(self._asked(fetcher, wanted, own))
        return await asyncio.shield(task)

    async def _asked(self, fetcher: Fetcher, wanted: _Wanted, own: bytes) -> _Answer:
        old = self._memory.find(own)
        try:
            answer = await fetcher.get(
                wanted.address, lambda at: _conditions(old, wanted.address, at), self._examined
            )
        except BadImage as error:
            return error
        except NotFetched as error:
            if old is None or not error.known:
                return error
            self._unchecked[wanted.address.host, str(error)] += 1
            return old.known
        self._pool.asked.add(own)
        if answer.value is None:
            assert old is not None
            return old.known
        self._memory.add(own, _remembered(answer, answer.value, wanted.address))
        return answer.value

    def _examined(self, data: bytes) -> Known:
        known = examine(data)
        self._kept.put(known.sha256, data)
        return known

    def _image(self, wanted: _Wanted, known: Known) -> Image:
        return known.image(
            wanted.name,
            self._context.index,
            wanted.entry.url,
            self._context.options.get("delivery", ""),
            wanted.entry.url,
        )

    def _rejected(
        self, entry: UrlEntry, reason: str, refused: bool = False, passing: bool = False
    ) -> Rejected:
        words = f"{reason} ({entry.place})"
        return Rejected(shown(entry.url), words, self._context.index, refused, passing)

    def _forget(self, url: str) -> None:
        """A server called it unchanged, and it is not: without this it would for ever."""
        with self._lock:
            self._memory.forget(key(url))
            self._memory.save()


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
