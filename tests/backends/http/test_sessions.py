"""Certificates and connections, against a real TLS server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trustme

from relightflow.backends.http import sessions
from relightflow.backends.http.download import Downloads
from relightflow.backends.http.hosts import in_force
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.model.failure import EXIT_OF, Billed, FailureKind
from relightflow.model.step import Accepted
from tests.backends.conftest import answer, error, request
from tests.backends.queued import Connect
from tests.backends.segmind.conftest import image

Secure = Callable[[str], Awaitable[tuple[str, list[str]]]]


@pytest.fixture
async def secure() -> AsyncIterator[Secure]:
    """`await secure(name)`: a TLS server with a certificate for `name`, and what it was asked."""
    servers: list[asyncio.Server] = []

    async def make(name: str) -> tuple[str, list[str]]:
        seen: list[str] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            first, _, _ = await request(reader)
            seen.append(first)
            writer.write(answer(200, {"request_id": "request-0001"}))
            await writer.drain()
            writer.close()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert(name).configure_cert(context)
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
        servers.append(server)
        return f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen

    yield make
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("name", ["127.0.0.1", "example.com"])
async def test_a_certificate_that_nobody_vouches_for_stops_before_anything_is_sent(
    connect: Connect, secure: Secure, name: str
) -> None:
    url, seen = await secure(name)
    context = await connect(url, delivery="inline")
    failure = await error(context.submit())
    assert (failure.kind, failure.billed) == (FailureKind.REFUSED_SAFETY, Billed.NO)
    assert EXIT_OF[failure.kind] == 9
    assert seen == []


async def test_free_calls_and_downloads_are_as_strict(connect: Connect, secure: Secure) -> None:
    url, seen = await secure("127.0.0.1")
    context = await connect(url)
    polling = await error(context.backend.collect(Accepted("request-0001")))
    uploading = await error(context.backend.prepare(image(), b""))
    async with sessions.download_session("127.0.0.1") as session:
        hosts = in_force(SegmindHosts(), {SegmindHosts().variable: url})
        fetching = await error(Downloads(session, hosts).fetch(url + "/a.png"))
    assert {polling.kind, uploading.kind, fetching.kind} == {FailureKind.REFUSED_SAFETY}
    assert fetching.billed is Billed.YES
    assert seen == []


async def test_no_session_has_the_key_as_a_habit() -> None:
    async with sessions.api_session() as session:
        assert "x-api-key" not in session.straight.headers


async def test_an_idle_connection_is_given_up_before_a_server_would() -> None:
    async with sessions.api_session() as session:
        connector = session.straight.connector
        assert connector is not None
        assert (connector._keepalive_timeout or 99.0) < 5.0
