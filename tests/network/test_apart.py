from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from relightflow.network import apart

SIGNATURE = "signature=a%2Fb%2B"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A store with one place, `/a%20b`, and who comes without the exact signature is sent away."""
    kept = {"data": b"bytes", "type": ""}

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path_qs != f"/a%20b?{SIGNATURE}":
            return web.Response(status=403)
        if request.method == "PUT":
            kept.update(data=await request.read(), type=request.headers["Content-Type"])
            return web.Response()
        return web.Response(body=kept["data"], headers={"Content-Type": str(kept["type"]) or "a/b"})

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await asyncio.to_thread(apart.run, apart._session().close())
    apart._session.cache_clear()
    await runner.cleanup()


async def test_what_was_put_is_got_at_the_url_as_it_was_signed(url: str) -> None:
    place = f"{url}/a%20b?{SIGNATURE}"
    assert await asyncio.to_thread(apart.get, place, 5) == b"bytes"
    head = {"Content-Type": "image/png"}
    for _ in range(2):
        await asyncio.to_thread(apart.put, place, b"more", head)
    assert await asyncio.to_thread(apart.get, place, 5) == b"more"


async def test_what_goes_wrong_is_said_without_the_url(url: str) -> None:
    place = f"{url}/a%20b?{SIGNATURE}"
    for bad, words in (
        (f"{place}0", "the server answered 403"),
        ("http://127.0.0.1:1/a?s=s", "[Cc]onnect"),
    ):
        with pytest.raises(OSError, match=words) as caught:
            await asyncio.to_thread(apart.get, bad, 5)
        assert "?" not in str(caught.value)
        assert str(caught.value)
    with pytest.raises(OSError, match="over the limit of 4"):
        await asyncio.to_thread(apart.get, place, 4)
