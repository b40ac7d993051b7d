"""Fetching results: which hosts, how much, how long, and what is done about a cut."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from relightflow.backends.http import download, sessions
from relightflow.backends.http.download import Downloads, fetch_apart
from relightflow.backends.http.hosts import in_force
from relightflow.backends.replicate.hosts import ReplicateHosts
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.model.failure import Billed, FailureKind
from relightflow.network import apart
from tests.backends.conftest import Listen, answer, error, replying, request
from tests.backends.segmind.conftest import IMAGE

Make = Callable[..., Downloads]


@pytest.fixture
async def downloads() -> AsyncIterator[Make]:
    """`downloads(url)`: results may come from that server, and from the provider."""
    made: list[Downloads] = []

    def make(url: str = "", **facts: float) -> Downloads:
        hosts = in_force(SegmindHosts(), {SegmindHosts().variable: url}) if url else SegmindHosts()
        found = Downloads(sessions.download_session(urlsplit(url).hostname or ""), hosts, **facts)  # type: ignore[arg-type]  # cap is an int, seconds are floats
        made.append(found)
        return found

    yield make
    for one in made:
        await one.session.close()


def image_bytes(**headers: str) -> bytes:
    return answer(200, IMAGE, **({"content_type": "image/jpeg"} | headers))


async def test_a_worker_downloads_as_the_driver_does_and_keeps_its_connection(
    listen: Listen,
) -> None:
    heads: list[dict[str, str]] = []

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        heads.append(headers)
        return image_bytes() if "a.png" in first else answer(404, b"")

    url = await listen(replying(choose))
    hosts = in_force(SegmindHosts(), {SegmindHosts().variable: url})
    assert await asyncio.to_thread(fetch_apart, hosts, False, url + "/a.png") == IMAGE
    failed = asyncio.to_thread(fetch_apart, hosts, False, url + "/gone")
    assert (await error(failed)).kind is FailureKind.EXPIRED
    refused = asyncio.to_thread(fetch_apart, hosts, False, "https://example.com/a.png")
    assert (await error(refused)).kind is FailureKind.REFUSED_SAFETY
    assert download._kept(hosts, False) is download._kept(hosts, False)
    assert not {"x-api-key", "authorization"} & set(heads[0])
    kept = download._kept(hosts, False)
    await asyncio.to_thread(apart.run, kept.session.close())
    download._kept.cache_clear()


async def test_no_key_is_sent(downloads: Make, listen: Listen) -> None:
    heads: list[dict[str, str]] = []

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        heads.append(headers)
        return image_bytes()

    url = await listen(replying(choose))
    assert await downloads(url).fetch(url + "/a.png") == IMAGE
    assert not {"x-api-key", "authorization"} & set(heads[0])


@pytest.mark.parametrize(
    "place",
    ["https://example.com/a.png", "http://images.segmind.com/a", "https://127.0.0.1/a", "x", ""],
)
async def test_a_result_elsewhere_is_refused_and_stays_paid(downloads: Make, place: str) -> None:
    failure = await error(downloads().fetch(place))
    assert (failure.kind, failure.billed) == (FailureKind.REFUSED_SAFETY, Billed.YES)


class Resolver(AbstractResolver):
    """Leads every name to these addresses."""

    def __init__(self, port: int, *addresses: str) -> None:
        self._port = port
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=address, port=self._port, family=family, proto=0, flags=0
            )
            for address in self._addresses
        ]

    async def close(self) -> None: ...


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("93.184.216.34", "127.0.0.1")])
async def test_a_name_with_any_private_address_is_refused(
    listen: Listen, addresses: tuple[str, ...]
) -> None:
    seen: list[str] = []
    url = await listen(replying(lambda *_: image_bytes(), seen))
    resolver = Resolver(int(url.rsplit(":", 1)[1]), *addresses)
    async with sessions.download_session(resolver=resolver) as session:
        failure = await error(
            Downloads(session, SegmindHosts()).fetch("https://images.segmind.com/a")
        )
    assert failure.kind is FailureKind.REFUSED_SAFETY
    assert "private" in failure.message
    assert seen == []


async def test_no_cookie_comes_back(downloads: Make, listen: Listen) -> None:
    heads: list[dict[str, str]] = []

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        heads.append(headers)
        return image_bytes(set_cookie="a=b; Path=/")

    url = (await listen(replying(choose))).replace("127.0.0.1", "localhost")
    found = downloads(url)
    for _ in range(2):
        assert await found.fetch(url + "/a.png") == IMAGE
    assert not any("cookie" in head for head in heads)


async def test_three_redirects_are_followed_and_a_fourth_is_not(
    downloads: Make, listen: Listen
) -> None:
    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        number = int(first.split()[1].strip("/"))
        return answer(302, location=f"/{number - 1}") if number else image_bytes()

    url = await listen(replying(choose))
    assert await downloads(url).fetch(url + "/3") == IMAGE
    assert (await error(downloads(url).fetch(url + "/4"))).kind is FailureKind.REFUSED_SAFETY


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data", "https://example.com/a", "file:///etc/x"]
)
async def test_a_redirect_to_another_host_is_refused(
    downloads: Make, listen: Listen, target: str
) -> None:
    url = await listen(replying(lambda *_: answer(302, location=target)))
    assert (await error(downloads(url).fetch(url + "/a"))).kind is FailureKind.REFUSED_SAFETY


def cut_once(with_etag: bool, seen: list[dict[str, str]]) -> Callable[..., object]:
    """Half an image at first; then what the range asks for, or all of it."""
    half = len(IMAGE) // 2
    tag = {"etag": '"v1"'} if with_etag else {}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, headers, _ = await request(reader)
        seen.append(headers)
        if len(seen) == 1:
            writer.write(answer(200, IMAGE[:half], content_length=str(len(IMAGE)), **tag))
        elif "range" in headers:
            begin = int(headers["range"].removeprefix("bytes=").rstrip("-"))
            span = f"bytes {begin}-{len(IMAGE) - 1}/{len(IMAGE)}"
            writer.write(answer(206, IMAGE[begin:], content_range=span, **tag))
        else:
            writer.write(image_bytes())
        await writer.drain()

    return handle


@pytest.mark.parametrize("with_etag", [True, False])
async def test_a_cut_download_is_resumed_or_begun_again(
    downloads: Make, listen: Listen, with_etag: bool
) -> None:
    seen: list[dict[str, str]] = []
    url = await listen(cut_once(with_etag, seen))  # type: ignore[arg-type]  # a Handle
    assert await downloads(url).fetch(url + "/a") == IMAGE
    assert ("range" in seen[1]) is with_etag


async def test_a_file_that_changed_meanwhile_is_not_patched_together(
    downloads: Make, listen: Listen
) -> None:
    calls = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        await request(reader)
        calls += 1
        if calls == 1:
            writer.write(answer(200, IMAGE[:50], content_length="5000", etag='"v1"'))
        else:
            writer.write(answer(206, b"other", content_range="bytes 50-54/55", etag='"v2"'))
        await writer.drain()

    url = await listen(handle)
    assert (await error(downloads(url).fetch(url + "/a"))).kind is FailureKind.PENDING


async def test_a_download_that_is_always_cut_is_for_the_next_run(
    downloads: Make, listen: Listen
) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(answer(200, IMAGE[:10], content_length="5000"))
        await writer.drain()

    url = await listen(handle)
    failure = await error(downloads(url).fetch(url + "/a"))
    assert (failure.kind, failure.billed) == (FailureKind.PENDING, Billed.YES)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, FailureKind.EXPIRED),
        (404, FailureKind.EXPIRED),
        (410, FailureKind.EXPIRED),
        (429, FailureKind.PENDING),
        (500, FailureKind.PENDING),
        (503, FailureKind.PENDING),
    ],
)
async def test_a_status_of_a_download_has_its_verdict(
    downloads: Make, listen: Listen, status: int, kind: FailureKind
) -> None:
    url = await listen(replying(lambda *_: answer(status, b"no")))
    failure = await error(downloads(url).fetch(url + "/a"))
    assert (failure.kind, failure.billed) == (kind, Billed.YES)


@pytest.mark.parametrize("body", [b"", b"<html>expired</html>", b"{}"])
async def test_what_is_not_an_image_is_kept(downloads: Make, listen: Listen, body: bytes) -> None:
    url = await listen(replying(lambda *_: answer(200, body, content_type="image/png")))
    failure = await error(downloads(url).fetch(url + "/a"))
    assert (failure.kind, failure.billed, failure.kept) == (
        FailureKind.BAD_RESULT,
        Billed.YES,
        body,
    )


async def test_the_cap_holds_while_reading_and_after_unpacking(
    downloads: Make, listen: Listen
) -> None:
    bomb = gzip.compress(bytes(20 << 20))
    replies = [
        answer(200, IMAGE + bytes(5000)),
        answer(200, bomb, content_encoding="gzip"),
    ]
    url = await listen(replying(lambda *_: replies.pop(0)))
    for _ in range(2):
        failure = await error(downloads(url, cap=len(IMAGE) + 100).fetch(url + "/a"))
        assert failure.kind is FailureKind.TOO_LARGE


async def test_a_slow_drip_meets_a_total_deadline(downloads: Make, listen: Listen) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(answer(200, IMAGE[:5], content_length="5000"))
        await writer.drain()
        await reader.read()

    url = await listen(handle)
    failure = await error(downloads(url, total_seconds=0.05).fetch(url + "/a"))
    assert failure.kind is FailureKind.PENDING


async def test_no_message_shows_the_results_address(downloads: Make, listen: Listen) -> None:
    url = await listen(replying(lambda *_: answer(500, b"x")))
    failure = await error(downloads(url).fetch(url + "/outputs/unguessable?sig=secret"))
    assert "unguessable" not in failure.message
    assert "secret" not in failure.message


async def test_hosts_of_results_behind_made_up_addresses_are_refused_before_the_first_call() -> (
    None
):
    resolver = Resolver(443, "198.18.0.7")
    async with sessions.download_session(resolver=resolver) as session:
        failure = await error(Downloads(session, SegmindHosts()).check_hosts())
    assert (failure.kind, failure.billed) == (FailureKind.REFUSED_SAFETY, Billed.NO)
    assert "(198.18.0.7)" in failure.message
    for way_out in ("HTTPS_PROXY", "--output-host", "--allow-private-network"):
        assert way_out in failure.message


@pytest.mark.parametrize(
    "given", [{"exempt": ("images.segmind.com",)}, {"exempt": (".segmind.com",)}, {"private": True}]
)
async def test_the_operator_may_allow_them(given: dict[str, Any], listen: Listen) -> None:
    url = await listen(replying(lambda *_: image_bytes()))
    resolver = Resolver(int(url.rsplit(":", 1)[1]), "127.0.0.1")
    session = sessions.download_session(*given.pop("exempt", ()), resolver=resolver, **given)
    async with session, session.get("http://images.segmind.com/a") as answer:
        assert answer.status == 200


async def test_a_stand_in_is_asked_for_nothing(downloads: Make, listen: Listen) -> None:
    seen: list[str] = []
    url = await listen(replying(lambda *_: image_bytes(), seen))
    await downloads(url).check_hosts()
    assert seen == []


async def test_a_space_in_a_result_s_url_is_quoted(downloads: Make, listen: Listen) -> None:
    seen: list[str] = []
    url = await listen(replying(lambda *_: image_bytes(), seen))
    assert await downloads(url).fetch(url + "/a b.png") == IMAGE
    assert "/a%20b.png" in seen[0]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://replicate.delivery/a", True),
        ("https://pbxt.replicate.delivery/a", True),
        ("https://notreplicate.delivery/a", False),
        ("https://replicate.delivery.example.com/a", False),
        ("https://cdn.example.com/a", False),
        ("https://user@replicate.delivery:443/a", True),
    ],
)
async def test_a_key_that_is_asked_for_is_shown_to_the_providers_own_hosts_alone(
    url: str, shown: bool
) -> None:
    """Whether the URL may be asked at all is decided before."""
    hosts = ReplicateHosts(outputs=("replicate.delivery", "cdn.example.com"))
    session = sessions.download_session()
    try:
        assert Downloads(session, hosts, "key")._may_see_key(url) is shown
        assert not Downloads(session, hosts)._may_see_key(url)
        assert not Downloads(session, SegmindHosts(), "key")._may_see_key(url)
    finally:
        await session.close()
