"""One address against a real server: caps, redirects, retries, and words for what went wrong."""

from __future__ import annotations

import asyncio
import gzip
import threading
import zlib
from typing import Any

import pytest
import trustme
from aiohttp import web

from relightflow.model.image import Image, Rejected
from relightflow.sources.urls import fetch
from relightflow.sources.urls.fetch import FetchLimits
from tests.sources.conftest import image_bytes
from tests.sources.urls.conftest import Make, Names, Site, images, only, reason


def answers(**facts: Any) -> Any:
    async def page(request: web.Request) -> web.Response:
        return web.Response(**facts)

    return page


def test_only_what_is_needed_is_sent(site: Site, make: Make) -> None:
    assert isinstance(only(make(f"{site.base}/a.jpg?sig=a%2Fb&x=1+2#part")), Image)
    (request,) = site.asked
    assert request.path_qs == "/a.jpg?sig=a%2Fb&x=1+2"
    assert {*request.headers} == {"Host", "User-Agent", "Accept", "Accept-Encoding"}


def test_a_password_in_the_address_is_sent_there_and_nowhere_else(
    site: Site, make: Make, serve: Any
) -> None:
    other = serve("127.0.0.2")
    other.pages["/b.jpg"] = image_bytes()
    site.pages["/go"] = answers(status=302, headers={"Location": f"{other.base}/b.jpg"})
    assert isinstance(only(make(f"http://u:p@127.0.0.1:{site.port}/go")), Image)
    assert site.asked[0].headers["Authorization"] == "Basic dTpw"
    assert "Authorization" not in other.asked[0].headers


def test_cookies_are_not_kept(site: Site, make: Make) -> None:
    site.headers["/a.jpg"] = {"Set-Cookie": "a=b"}
    source = make(f"{site.base}/a.jpg", f"{site.base}/a.jpg")
    assert len(images(source)) == 2
    assert not any("Cookie" in request.headers for request in site.asked)


def test_five_redirects_are_followed_and_six_are_not(site: Site, make: Make) -> None:
    for number in range(6):
        site.pages[f"/{number}"] = answers(status=302, headers={"Location": f"{number + 1}"})
    site.pages["/6"] = image_bytes()
    assert isinstance(only(make(f"{site.base}/1")), Image)
    assert "more than 5 redirects" in reason(make(f"{site.base}/0"))


def test_spaces_are_quoted_as_browsers_do_it(site: Site, make: Make) -> None:
    site.pages["/go"] = answers(status=302, headers={"Location": "/a b.jpg?x=c d"})
    site.pages["/a b.jpg"] = image_bytes()
    for url in (f"{site.base}/go", f"{site.base}/a b.jpg"):
        found = only(make(url))
        assert isinstance(found, Image), found
        assert found.name in ("go", "a b.jpg")
    assert site.paths == ["/go", "/a%20b.jpg?x=c%20d", "/a%20b.jpg"]


def test_a_circle_is_named(site: Site, make: Make) -> None:
    site.pages["/x"] = answers(status=302, headers={"Location": "/y"})
    site.pages["/y"] = answers(status=302, headers={"Location": "/x"})
    assert "redirect loop" in reason(make(f"{site.base}/x"))
    assert len(site.asked) == 2


def test_a_redirect_without_a_target_is_named(site: Site, make: Make) -> None:
    site.pages["/x"] = answers(status=302)
    assert "without a target" in reason(make(f"{site.base}/x"))


@pytest.mark.parametrize("announced", [True, False])
def test_what_is_too_large_is_not_read_to_its_end(site: Site, make: Make, announced: bool) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        if announced:
            response.content_length = 10 << 30
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(bytes(1 << 16))
            sent += 1 << 16
        return response

    site.pages["/big"] = endless
    assert "larger than 1 MiB" in reason(
        make(f"{site.base}/big", limits=FetchLimits(bytes=1 << 20))
    )
    assert sent < 64 << 20


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_not_unpacked(site: Site, make: Make, encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    site.pages["/bomb"] = answers(
        body=pack(bytes(50 << 20)), headers={"Content-Encoding": encoding}
    )
    assert "larger than 1 MiB" in reason(
        make(f"{site.base}/bomb", limits=FetchLimits(bytes=1 << 20))
    )


def test_a_packed_image_is_unpacked(site: Site, make: Make) -> None:
    packed = answers(body=gzip.compress(image_bytes()), headers={"Content-Encoding": "gzip"})
    site.pages["/x"] = packed
    assert isinstance(only(make(f"{site.base}/x")), Image)


def test_a_large_image_waits_for_room_and_comes(site: Site, make: Make) -> None:
    from relightflow.images import probe

    data = image_bytes(64, 64, "PNG")
    data = data[:-12] + b"\x00\x2f\xff\xf4zzZz" + bytes(0x2FFFF4) + b"\0\0\0\0" + data[-12:]
    site.pages["/x"] = image_bytes()
    site.pages["/large"] = data
    try:
        probe(data)
    except Exception:
        pytest.fail("the large image is none")
    first, second = make(f"{site.base}/large", f"{site.base}/x").scan()
    assert isinstance(first, Image)
    assert isinstance(second, Image)
    assert first.size == len(data)


def test_to_wait_for_other_downloads_is_not_the_server_s_slowness(
    site: Site, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that stall hold all the room, one after the other, for longer than the third may take."""
    monkeypatch.setattr(fetch, "_FREELY", 10)
    monkeypatch.setattr(fetch, "_ROOM", 1000)

    async def page(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = len(image_bytes())
        await response.prepare(request)
        await response.write(image_bytes()[:100])
        if request.path != "/x":
            await asyncio.Event().wait()
        await response.write(image_bytes()[100:])
        return response

    site.pages |= dict.fromkeys(("/a", "/b", "/x"), page)
    urls = [f"{site.base}/{name}" for name in "abx"]
    *stalled, last = make(*urls, limits=FetchLimits(seconds=1.0, a_host=3)).scan()
    assert all("longer than 1 s" in item.reason for item in stalled if isinstance(item, Rejected))
    assert isinstance(last, Image)


def test_silence_ends_it(site: Site, make: Make) -> None:
    async def silent(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"\xff\xd8")
        await asyncio.Event().wait()
        return response

    site.pages["/x"] = silent
    found = reason(make(f"{site.base}/x", limits=FetchLimits(idle_seconds=0.2)))
    assert "no data from the server for 0.2 s" in found
    assert len(site.asked) == 1


def test_a_drip_ends_too(site: Site, make: Make) -> None:
    async def drips(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"\xff")
            await asyncio.sleep(0.02)

    site.pages["/x"] = drips
    found = reason(make(f"{site.base}/x", limits=FetchLimits(seconds=0.3)))
    assert "took longer than 0.3 s" in found


def test_a_web_page_is_called_one(site: Site, make: Make) -> None:
    site.pages["/x.jpg"] = answers(text="<!doctype html><p>Sign in", content_type="image/jpeg")
    assert "not a supported image (HTML)" in reason(make(f"{site.base}/x.jpg"))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, "", "not found (404)"),
        (403, "<Message>Request has expired</Message>", "credential in the URL has expired"),
        (403, "", "requires a credential"),
        (200, "", "empty"),
        (304, "", "did not return an image (status 304)"),
        (206, "", "did not return an image (status 206)"),
    ],
)
def test_a_refusal_says_what_it_is(
    site: Site, make: Make, status: int, body: str, words: str
) -> None:
    site.pages["/x"] = answers(status=status, text=body)
    assert words in reason(make(f"{site.base}/x"))
    assert len(site.asked) == 1


def failing(times: int, **facts: Any) -> Any:
    left = [times]

    async def page(request: web.Request) -> web.Response:
        left[0] -= 1
        return web.Response(**facts) if left[0] >= 0 else web.Response(body=image_bytes())

    return page


@pytest.mark.parametrize("status", [500, 502, 503, 504, 522])
def test_trouble_that_passes_is_tried_again(site: Site, make: Make, status: int) -> None:
    site.pages["/x"] = failing(2, status=status)
    assert isinstance(only(make(f"{site.base}/x")), Image)
    site.pages["/y"] = failing(3, status=status)
    assert "is unavailable" in reason(make(f"{site.base}/y"))
    assert site.paths == ["/x"] * 3 + ["/y"] * 3


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}])
def test_a_request_for_patience_costs_no_try(
    site: Site, make: Make, headers: dict[str, str]
) -> None:
    site.pages["/x"] = failing(4, status=429, headers=headers)
    assert isinstance(only(make(f"{site.base}/x")), Image)
    site.pages["/y"] = answers(status=429, headers=headers)
    found = only(make(f"{site.base}/y"))
    assert isinstance(found, Rejected)
    assert found.passing
    assert len(site.paths) < 20


@pytest.mark.parametrize("status", [201, 203])
def test_an_image_is_one_whatever_its_server_calls_the_success(
    site: Site, make: Make, status: int
) -> None:
    site.pages["/x"] = answers(status=status, body=image_bytes())
    assert isinstance(only(make(f"{site.base}/x")), Image)


def test_a_server_that_asks_for_long_patience_is_left_alone(site: Site, make: Make) -> None:
    site.pages["/x"] = answers(status=503, headers={"Retry-After": "3600"})
    assert "is unavailable" in reason(make(f"{site.base}/x"))
    assert len(site.asked) == 1


def test_a_connection_that_breaks_is_tried_again(site: Site, make: Make) -> None:
    left = [2]

    async def breaks(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 1000
        await response.prepare(request)
        left[0] -= 1
        if left[0] < 0:
            response = web.Response(body=image_bytes())
            response.force_close()
        transport = request.transport
        assert transport is not None
        await response.write(b"\xff\xd8\xff") if left[0] >= 0 else None
        transport.close()
        return response

    site.pages["/x"] = breaks
    assert "connection broke" in reason(make(f"{site.base}/x"))
    assert len(site.asked) == 3


def test_a_server_that_is_not_there_is_named(make: Make) -> None:
    assert "is unreachable" in reason(make("http://127.0.0.1:9/a.jpg"))


def test_a_name_that_nobody_knows_is_named(make: Make) -> None:
    class Nobody(Names):
        async def resolve(self, *args: Any, **kwargs: Any) -> Any:
            raise OSError("no such name")

    found = reason(make("http://images.example/a.jpg", resolver=Nobody(())))
    assert "name could not be resolved" in found


def test_headers_as_long_as_browsers_take_them_are_sound(site: Site, make: Make) -> None:
    site.headers["/a.jpg"] = {"Content-Security-Policy": "y" * 60_000}
    assert isinstance(only(make(f"{site.base}/a.jpg")), Image)


def test_headers_without_end_are_no_sound_answer(site: Site, make: Make) -> None:
    site.pages["/x"] = answers(headers={"X": "y" * 70_000})
    assert "invalid HTTP" in reason(make(f"{site.base}/x"))


def test_a_certificate_that_nobody_vouches_for_is_refused(make: Make) -> None:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    ready, ended = threading.Event(), threading.Event()
    ports: list[int] = []

    async def serve() -> None:
        server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await asyncio.to_thread(ended.wait)
        server.close()
        await server.wait_closed()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    item = only(make(f"https://127.0.0.1:{ports[0]}/a.jpg"))
    ended.set()
    thread.join()
    assert isinstance(item, Rejected)
    assert item.refused
    assert "certificate" in item.reason


def test_a_host_is_not_asked_for_more_at_a_time_than_allowed(site: Site, make: Make) -> None:
    now, most, together = [0], [0], asyncio.Event()

    async def counts(request: web.Request) -> web.Response:
        now[0] += 1
        most[0] = max(most[0], now[0])
        if most[0] == 3:
            together.set()
        await together.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        now[0] -= 1
        return web.Response(body=image_bytes())

    site.pages["/x"] = counts
    urls = [f"{site.base}/x?{n}" for n in range(40)]
    assert len(images(make(*urls, limits=FetchLimits(a_host=3)))) == 40
    assert most[0] == 3
