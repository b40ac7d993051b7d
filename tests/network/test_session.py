from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import aiohttp
import pytest
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult

from relightflow.network.session import (
    PrivateAddress,
    PublicOnly,
    proxy_problem,
    refused_certificate,
    session,
    timeout,
    why_refused,
)
from tests.servers.proxy import ForwardProxy, running


class Names(AbstractResolver):
    """A name server that knows one answer."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=a, port=port, family=family, proto=0, flags=0)
            for a in self._addresses
        ]

    async def close(self) -> None:
        pass


class NoNames(Names):
    """A name server that knows nothing."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        raise OSError(host)


async def test_a_public_name_is_handed_on_as_it_was_resolved() -> None:
    found = await PublicOnly(inner=Names("8.8.8.8", "2606:4700::1111")).resolve("a.example", 80)
    assert [r["host"] for r in found] == ["8.8.8.8", "2606:4700::1111"]


@pytest.mark.parametrize("bad", ["127.0.0.1", "fe80::1%lo", "::ffff:10.0.0.1"])
async def test_one_private_address_among_public_ones_refuses_the_name(bad: str) -> None:
    with pytest.raises(PrivateAddress, match=r"a\.example has a private address"):
        await PublicOnly(inner=Names("8.8.8.8", bad)).resolve("a.example")


async def test_only_the_exempt_host_may_be_private() -> None:
    resolver = PublicOnly("mine.example", inner=Names("127.0.0.1"))
    assert await resolver.resolve("mine.example")
    with pytest.raises(PrivateAddress):
        await resolver.resolve("yours.example")


async def test_a_session_keeps_nothing_and_reads_no_password_file() -> None:
    async with session() as both:
        opened = both.straight
        assert not opened.trust_env
        assert not opened.auto_decompress
        opened.cookie_jar.update_cookies({"a": "b"})
        assert len(opened.cookie_jar) == 0
        assert opened.headers["Accept-Encoding"] == "identity"


def test_a_timeout_counts_silence_and_the_whole() -> None:
    assert (timeout(5.0).sock_read, timeout(5.0).total) == (5.0, 10.0)
    assert timeout(5.0, 60.0).total == 60.0


@pytest.fixture
def site() -> Iterator[tuple[str, int]]:
    """A server that says what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = f"{self.headers['Host']} {self.headers.get('Proxy-Authorization')}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield ("127.0.0.1", server.server_port)
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(site: tuple[str, int]) -> Iterator[ForwardProxy]:
    hosts = ("a.example", "b.example", "intranet")
    with running(ForwardProxy(dict.fromkeys(hosts, site), password="me:secret")) as found:
        yield found


def behind(proxy: ForwardProxy, **more: str) -> dict[str, str]:
    url = proxy.url.replace("//", "//me:secret@")
    return {"HTTP_PROXY": url, "HTTPS_PROXY": url, **more}


async def test_plain_http_goes_through_the_proxy_whose_password_no_server_sees(
    proxy: ForwardProxy,
) -> None:
    async with session(environ=behind(proxy)) as opened:
        for _ in range(2):
            async with opened.get("http://a.example/x") as answer:
                assert await answer.text() == "a.example None"
    assert proxy.asked == ["GET http://a.example/x"] * 2


async def test_tls_goes_through_a_tunnel_and_trusts_what_the_operator_names(
    site: tuple[str, int], tmp_path: Path
) -> None:
    company = trustme.CA()
    company.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with running(ForwardProxy({"a.example": site}, company, password="me:secret")) as proxy:
        trusting = behind(proxy, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
        async with session(environ=trusting) as opened, opened.get("https://a.example/") as answer:
            assert await answer.text() == "a.example None"
        async with session(environ=behind(proxy)) as opened:
            with pytest.raises(aiohttp.ClientError) as caught:
                await opened.get("https://a.example/")
    assert refused_certificate(caught.value)
    assert "certificate" in why_refused(caught.value)


async def test_what_no_proxy_excludes_goes_straight(
    proxy: ForwardProxy, site: tuple[str, int]
) -> None:
    environ = behind(proxy, NO_PROXY="b.example")
    async with session(Names("127.0.0.1"), environ=environ) as opened:
        for host in ("b.example", "127.0.0.1"):
            async with opened.get(f"http://{host}:{site[1]}/") as answer:
                assert answer.status == 200
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("host", "addresses"),
    [("a.example", ("10.0.0.1",)), ("a.example", ("8.8.8.8", "127.0.0.1")), ("intranet", ())],
)
async def test_a_proxy_is_not_asked_for_what_is_known_to_be_private(
    proxy: ForwardProxy, host: str, addresses: tuple[str, ...]
) -> None:
    public = PublicOnly(inner=Names(*addresses))
    async with session(public, screen=public, environ=behind(proxy)) as opened:
        with pytest.raises(PrivateAddress):
            await opened.get(f"http://{host}/")
    assert proxy.asked == []


@pytest.mark.parametrize("names", [NoNames(), Names("198.18.0.7")], ids=["none", "made up"])
async def test_a_name_that_only_the_proxy_can_resolve_is_the_proxys(
    proxy: ForwardProxy, names: AbstractResolver
) -> None:
    public = PublicOnly(inner=names)
    opened = session(public, screen=public, environ=behind(proxy))
    async with opened, opened.get("http://a.example/") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("status", "words"),
    [(407, "user name and password"), (403, "refused the connection"), (504, "could not make")],
)
async def test_what_a_proxy_says_instead_is_told(status: int, words: str) -> None:
    with running(ForwardProxy({}, refuses=status)) as proxy:
        async with session(environ=proxy.environment) as opened:
            with pytest.raises(aiohttp.ClientError) as caught:
                await opened.get("https://a.example/")
        assert words in proxy_problem(caught.value)
    async with session(environ=proxy.environment) as opened:
        with pytest.raises(aiohttp.ClientError) as gone:
            await opened.get("https://a.example/")
    assert f"127.0.0.1:{proxy.port} cannot be reached" in proxy_problem(gone.value)


async def test_what_comes_unasked_is_the_answer_to_no_later_request() -> None:
    """As from a gateway that answers twice: each image would be taken for another job's."""
    again, written, asked = asyncio.Event(), asyncio.Event(), 0

    def said(text: str) -> bytes:
        return f"HTTP/1.1 200 X\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                asked += 1
                writer.write(said(str(asked)))
                if asked == 1:
                    await again.wait()
                    writer.write(said("again"))
                    await writer.drain()
                    written.set()
        writer.close()

    async def beside(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        again.set()
        await written.wait()
        writer.write(said("by now it has come"))
        writer.close()

    servers = [await asyncio.start_server(one, "127.0.0.1", 0) for one in (twice, beside)]
    first, other = (f"http://127.0.0.1:{s.sockets[0].getsockname()[1]}/" for s in servers)
    async with servers[0], servers[1], session() as web:
        answers = []
        for url in (first, other, first, first):
            async with web.get(url) as response:
                answers.append(await response.text())
    assert answers == ["1", "by now it has come", "2", "3"]
