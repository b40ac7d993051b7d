from __future__ import annotations

import gzip
import zlib

import aiohttp
import pytest
from aiohttp import web

from relightflow.network import body


async def read(content: bytes, encoding: str) -> bytes:
    """What is read of a real server's answer."""

    async def page(_request: web.BaseRequest) -> web.Response:
        return web.Response(body=content, headers={"Content-Encoding": encoding})

    runner = web.ServerRunner(web.Server(page))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        session = aiohttp.ClientSession(auto_decompress=False)
        async with session, session.get(url) as response:
            return await body.read_body(response, 1000)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "encoding", ["", "identity", "none", "utf-8", "image/jpeg", "aws-chunked", "binary", "gzip"]
)
async def test_a_content_encoding_that_packs_nothing_changes_nothing(encoding: str) -> None:
    assert await read(b"\xff\xd8\xff\xe0 image", encoding) == b"\xff\xd8\xff\xe0 image"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "deflate", "identity, gzip"])
async def test_what_is_packed_is_unpacked(encoding: str) -> None:
    pack = zlib.compress if encoding == "deflate" else gzip.compress
    assert await read(pack(b"image"), encoding) == b"image"


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, br"])
async def test_what_cannot_be_unpacked_is_told(encoding: str) -> None:
    with pytest.raises(body.Unreadable, match="not asked for"):
        await read(b"anything", encoding)


async def test_what_is_packed_and_cut_is_told() -> None:
    with pytest.raises(body.Unreadable, match="too early"):
        await read(gzip.compress(b"image" * 50)[:-9], "gzip")


def test_a_bomb_is_unpacked_to_one_byte_over_its_cap_and_no_further() -> None:
    bomb = zlib.compress(bytes(20 << 20))
    assert len(body._unpacked(zlib.decompressobj(), bomb, 1000)) == 1001
