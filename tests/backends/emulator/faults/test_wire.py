from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
from typing import Any

import aiohttp
import pytest

SILENT = aiohttp.ClientTimeout(total=0.3)


def _billed(client: Any) -> int:
    return int(client.emulator.bill()["totals"]["billed"])


@pytest.mark.parametrize("api", ["v1", "v2"])
@pytest.mark.parametrize("billed", [True, False])
@pytest.mark.parametrize("how", ["reset", "close"])
async def test_reset_after_body_bills_as_told_and_answers_nothing(
    connect: Any, api: Any, billed: Any, how: Any
) -> None:
    options = f"{{billed: {str(billed).lower()}, how: {how}}}"
    client = await connect(f"rules: [{{at: submit, fault: reset-after-body, with: {options}}}]")
    with pytest.raises(aiohttp.ClientError):
        await client.run(api)
    assert _billed(client) == int(billed)


async def test_reset_before_body_does_not_wait_for_the_body(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: reset-before-body}]")
    host, port = client.emulator.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /v1/segmind-relighting HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    assert _billed(client) == 0


async def test_reset_before_body_cuts_an_image_that_is_sent_inline(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: reset-before-body}]")
    large = "data:image/jpeg;base64," + base64.b64encode(b"x" * 600_000).decode()
    with pytest.raises(aiohttp.ClientError):
        await client.run(image=large)
    assert _billed(client) == 0


async def test_refuse_shuts_the_port_and_opens_it_again(connect: Any) -> None:
    client = await connect("rules: [{at: submit, nth: 1, fault: refuse, with: {seconds: 0.2}}]")
    with pytest.raises(aiohttp.ClientOSError):
        await client.run()
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.run()
    answer = None
    async with asyncio.timeout(10):
        while answer is None:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                answer = await client.run()
    assert answer.status == 200
    assert _billed(client) == 1


async def test_hang_bills_and_never_answers(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: hang}]")
    with pytest.raises(TimeoutError):
        await client.run(timeout=SILENT)
    assert _billed(client) == 1


async def test_late_answers_after_all(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: late, with: {seconds: 0.05}}]")
    assert (await client.run()).status == 200


async def test_cut_brings_headers_and_a_part_of_the_body(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: cut}]")
    async with client.post() as answer:
        assert answer.headers["x-request-id"]
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert _billed(client) == 1


async def test_drip_brings_the_whole_body_in_pieces(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: drip, with: {pieces: 3, pause: 0.01}}]")
    async with client.post() as answer:
        assert len(await answer.read()) == int(answer.headers["Content-Length"]) > 19_000


@pytest.mark.parametrize("declared", [True, False])
async def test_oversize_is_as_large_as_it_says(connect: Any, declared: Any) -> None:
    client = await connect(
        "rules: [{at: submit, fault: oversize, with: "
        f"{{size: 3000000, declared: {str(declared).lower()}}}}}]"
    )
    async with client.post() as answer:
        assert ("Content-Length" in answer.headers) == declared
        assert len(await answer.read()) == 3_000_000


async def test_bomb_is_small_on_the_wire_and_large_unpacked(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: bomb, with: {size: 5000000}}]")
    async with client.post(auto_decompress=False) as answer:
        packed = await answer.read()
    assert len(packed) < 60_000
    assert len(gzip.decompress(packed)) >= 5_000_000


async def test_truncated_download_can_be_resumed(connect: Any) -> None:
    client = await connect("rules: [{at: download, nth: 1, fault: cut}]")
    taken = (await client.run("v2")).json
    url = (await client.get(taken["response_url"])).json["output"]
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.get(url, key=None)
    whole = await client.get(url, key=None)
    rest = await client.get(url, key=None, headers={"Range": "bytes=1000-"})
    assert rest.status == 206
    assert rest.body == whole.body[1000:]
