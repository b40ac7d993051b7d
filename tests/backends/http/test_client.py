"""The key, redirects, caps and clocks of a single call; where a body broke is test_request_body.py."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest

from relightflow.backends.http import sessions
from relightflow.backends.http.client import Api, encoded, reason
from relightflow.backends.http.hosts import in_force
from relightflow.backends.http.response import Response
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.backends.segmind.responses import checked
from relightflow.model.failure import Billed, CallFailed, FailureKind
from tests.backends.conftest import Listen, answer, error, replying, request
from tests.backends.segmind.conftest import KEY

Open = Callable[[str], Awaitable[Api[SegmindHosts]]]


@pytest.fixture
async def api() -> AsyncIterator[Open]:
    """`await api(url)`: calls to that server, with a key."""
    opened: list[Api[SegmindHosts]] = []

    async def make(url: str) -> Api[SegmindHosts]:
        opened.append(
            Api(
                sessions.api_session(),
                in_force(SegmindHosts(), {SegmindHosts().variable: url}),
                KEY,
            )
        )
        return opened[-1]

    yield make
    for one in opened:
        await one.session.close()


def test_the_key_is_in_no_repr() -> None:
    assert KEY not in repr(Api(None, in_force(SegmindHosts(), {}), KEY))  # type: ignore[arg-type]  # unused


async def test_a_free_call_bears_the_key_and_does_not_take_it_to_another_host(
    api: Open, listen: Listen
) -> None:
    keys: list[str] = []
    followed: list[str] = []
    other = await listen(replying(lambda *_: answer(200, b""), followed))

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        keys.append(headers["x-api-key"])
        return answer(307, b"", location=other)

    url = await listen(replying(choose))
    got = await (await api(url)).read("GET", url, "could not ask")
    assert (got.status, keys, followed) == (307, [KEY], [])


async def test_any_status_is_an_answer_of_a_free_call(api: Open, listen: Listen) -> None:
    url = await listen(replying(lambda *_: answer(503, b"busy")))
    got = await (await api(url)).read("GET", url, "could not ask")
    assert (got.status, got.body) == (503, b"busy")


async def test_an_answer_over_its_cap_is_too_large(api: Open, listen: Listen) -> None:
    url = await listen(replying(lambda *_: answer(200, b"x" * 101)))
    failure = await error((await api(url)).read("GET", url, "listing", cap=100))
    assert (failure.kind, failure.billed) == (FailureKind.TOO_LARGE, Billed.NO)
    assert failure.message.startswith("listing: ")


async def test_a_free_call_that_breaks_says_what_it_was_for_and_that_it_is_not_billed(
    api: Open, listen: Listen
) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)

    url = await listen(handle)
    failure = await error((await api(url)).read("POST", url, "uploading", body={"a": 1}))
    assert failure.kind is FailureKind.UNSENT
    assert failure.message == "uploading: the connection was closed; this is not billed"


async def test_a_billable_call_that_is_cut_after_its_body_may_be_billed(
    api: Open, listen: Listen
) -> None:
    bodies: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append((await request(reader))[2])

    url = await listen(handle)
    failure = await error((await api(url)).post_once(url, {"b": 1, "a": 2}, 5.0))
    assert (failure.kind, failure.billed) == (FailureKind.UNKNOWN, Billed.UNKNOWN)
    assert bodies == [b'{"b":1,"a":2}'], "once, and in the order given"


async def test_the_hosts_time_is_unknown_until_an_answer_tells_it(
    api: Open, listen: Listen
) -> None:
    url = await listen(
        replying(lambda *_: answer(200, b"{}", date="Tue, 01 Jan 2030 00:00:00 GMT"))
    )
    opened = await api(url)
    assert opened.server_time() is None
    await opened.read("GET", url, "asking")
    now = opened.server_time()
    assert now is not None
    assert 0 <= now - 1_893_456_000 < 3600, "that server's, not this machine's"


async def test_an_answer_without_a_date_tells_no_time(api: Open, listen: Listen) -> None:
    url = await listen(replying(lambda *_: answer(200, b"{}", date="soon")))
    opened = await api(url)
    assert (await opened.read("GET", url, "asking")).late == 0.0
    assert opened.server_time() is None


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (TimeoutError(), "the request timed out"),
        (aiohttp.ConnectionTimeoutError(), "the connection timed out"),
        (aiohttp.ServerDisconnectedError(), "the connection was closed"),
        (aiohttp.ClientPayloadError("12 of 40 bytes"), "the answer was cut short"),
        (OSError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (ValueError(), "ValueError"),
    ],
)
def test_a_broken_connection_has_a_reason_in_words(problem: Exception, words: str) -> None:
    assert reason(problem) == words


def test_a_reason_holds_no_secret_and_is_short() -> None:
    told = reason(ValueError(f"bad header x-api-key: {KEY} " + "y" * 500), KEY)
    assert KEY not in told
    assert len(told) <= 160


def test_a_body_is_compact_json_that_a_number_cannot_break() -> None:
    assert encoded({"image": "a", "seed": 1}) == b'{"image":"a","seed":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        encoded({"seed": float("nan")})


def test_only_a_200_passes() -> None:
    good = Response(200)
    assert checked(good, "asking") is good
    for status in (204, 302, 404, 500):
        with pytest.raises(CallFailed, match="asking"):
            checked(Response(status), "asking")
