"""A passing trouble is no fact about the images: what is known counts, and the rest is asked again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from relightflow.model.image import Image, Rejected
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import OperatorPolicy, SourceContext
from relightflow.plugins.source import SourceUnavailable
from relightflow.sources.urls.fetch import FetchLimits
from relightflow.sources.urls.source import Urls
from tests.sources.conftest import image_bytes
from tests.sources.urls.conftest import PRIVATE_NETWORK, Site

Handler = Callable[[web.Request], Any]


class Lists:
    """Sources over a cache of their own, and what they say."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.notices: list[str] = []
        self.operator: OperatorPolicy = PRIVATE_NETWORK
        self.limits = FetchLimits()

    def scan(self, *lists: list[str]) -> list[Image | Rejected]:
        shared: dict[str, object] = {}
        sources = [self.source(urls, n, shared) for n, urls in enumerate(lists)]
        try:
            every = [item for source in sources for item in source.scan()]
            return [item for item in every if isinstance(item, Image | Rejected)]
        finally:
            for source in sources:
                source.close()

    def source(
        self, urls: list[str], index: int = 0, shared: dict[str, object] | None = None
    ) -> Urls:
        context = SourceContext(
            self._folder, FrozenMap({"urls": tuple(urls)}), index, self.operator,
            self._folder / "cache", notice=self.notices.append,
            shared={} if shared is None else shared,
        )  # fmt: skip
        return Urls(context, self.limits, None, _at_once)


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path)


def listed(site: Site, count: int) -> list[str]:
    for number in range(count):
        site.pages[f"/{number}.jpg"] = image_bytes(shade=number % 200)
    return [f"{site.base}/{number}.jpg" for number in range(count)]


def fails(how: str) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        if how == "page":
            return web.Response(text="<!doctype html>sign in", content_type="text/html")
        if how == "cut":
            assert request.transport
            request.transport.close()
        if how.startswith("expired"):
            return web.Response(status=403, text="<Message>Request has expired</Message>")
        return web.Response(status=int(how) if how.isdigit() else 500)

    return page


@pytest.mark.parametrize("how", ["500", "503", "429", "cut", "expired"])
def test_known_images_count_and_that_is_told(site: Site, lists: Lists, how: str) -> None:
    urls = listed(site, 5)
    before = lists.scan(urls)
    assert lists.notices == []
    site.pages = {path: fails(how) for path in site.pages}
    assert lists.scan(urls) == before
    (told,) = lists.notices
    assert told.startswith("5 images of 127.0.0.1 could not be checked (")
    assert told.endswith("used as last downloaded")


def test_known_images_count_where_the_server_is_gone(lists: Lists, serve: Any) -> None:
    gone = serve("127.0.0.3")
    urls = listed(gone, 30)
    before = lists.scan(urls)
    gone.stop()
    assert lists.scan(urls) == before
    assert "30 images of 127.0.0.3" in lists.notices[0]


@pytest.mark.parametrize("how", ["404", "410", "401", "page"])
def test_what_a_server_says_of_an_image_is_believed(site: Site, lists: Lists, how: str) -> None:
    urls = listed(site, 2)
    lists.scan(urls)
    site.pages["/0.jpg"] = fails(how)
    first, second = lists.scan(urls)
    assert isinstance(first, Rejected)
    assert not first.passing
    assert isinstance(second, Image)


def test_what_is_not_known_is_left_open(site: Site, lists: Lists) -> None:
    site.pages["/x"] = fails("503")
    (found,) = lists.scan([f"{site.base}/x"])
    assert isinstance(found, Rejected)
    assert found.passing


@pytest.mark.parametrize("status", ["500", "503", "429"])
def test_a_list_of_which_a_few_fail_never_shrinks(site: Site, lists: Lists, status: str) -> None:
    """Two of a hundred fail at each look, others each time, once they are known."""
    urls = listed(site, 200)
    look, asked = [0], Counter[str]()
    real = site.answer

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        number = int(request.path[1:-4])
        asked[request.path] += 1
        if look[0] and number % 50 == look[0]:
            return web.Response(status=int(status))
        return await real(request)

    site.answer = answer  # type: ignore[method-assign]
    before = lists.scan(urls)
    assert all(isinstance(item, Image) for item in before)
    for look[0] in (1, 2, 3):
        assert lists.scan(urls) == before


def test_sixty_images_of_a_host_that_takes_ten_in_a_while_come_in_one_scan(
    site: Site, lists: Lists
) -> None:
    """The window is counted in requests here: 10 of every 15 are answered."""
    urls = listed(site, 60)
    real, count = site.answer, [0]

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        count[0] += 1
        if count[0] % 15 >= 10:
            return web.Response(status=429, headers={"Retry-After": "2"})
        return await real(request)

    site.answer = answer  # type: ignore[method-assign]
    assert all(isinstance(item, Image) for item in lists.scan(urls))


def test_a_dead_host_is_asked_a_few_times_however_many_addresses_and_lists_it_has(
    site: Site, lists: Lists
) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.close()
        return web.Response()

    urls = listed(site, 1000)
    site.pages = dict.fromkeys(site.pages, cut)
    found = lists.scan(urls[:500], urls[500:])
    assert len(found) == 1000
    assert all(isinstance(item, Rejected) and item.passing for item in found)
    assert len(site.asked) < 80


def test_another_host_is_not_affected(site: Site, lists: Lists, serve: Any) -> None:
    dead = [f"http://127.0.0.9:{site.port}/{n}" for n in range(100)]
    urls = listed(site, 20)
    found = lists.scan(dead + urls)
    assert [type(item) for item in found] == [Rejected] * 100 + [Image] * 20


def test_new_addresses_come_first_and_known_ones_last(site: Site, lists: Lists) -> None:
    urls = listed(site, 40)
    lists.limits = FetchLimits(a_host=1)
    lists.scan(urls[:20])
    site.asked.clear()
    found = lists.scan(urls)
    assert [item.name for item in found] == [f"{n}.jpg" for n in range(40)]
    assert site.paths == [f"/{n}.jpg" for n in (*range(20, 40), *range(20))]


def test_an_address_is_asked_once_however_often_it_is_listed(site: Site, lists: Lists) -> None:
    urls = listed(site, 3)
    found = lists.scan(urls * 3, urls)
    assert all(isinstance(item, Image) for item in found)
    assert [item.name for item in found[:6:3]] == ["0.jpg", found[3].name]
    assert Counter(site.paths) == {f"/{n}.jpg": 1 for n in range(3)}
    assert len({item.name for item in found[:9]}) == 9
    assert [item.source for item in found] == [0] * 9 + [1] * 3


def test_bytes_that_cannot_be_had_now_are_no_stale_image(site: Site, lists: Lists) -> None:
    (image,) = lists.scan(listed(site, 1))
    assert isinstance(image, Image)
    for path in (lists._folder / "cache/urls").rglob("*"):
        if path.is_file():
            path.unlink()
    site.pages["/0.jpg"] = fails("503")
    source = lists.source([image.locator])
    try:
        with pytest.raises(SourceUnavailable, match=r"0\.jpg cannot be downloaded now: .*503"):
            source.read(image)
    finally:
        source.close()
