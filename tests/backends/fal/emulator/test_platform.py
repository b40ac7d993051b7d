"""The request history and the storage of the emulated fal."""

from __future__ import annotations

from typing import Any

import aiohttp

from tests.backends.fal.conftest import KEY
from tests.backends.queued import Connect, Emulate

HEAD = {"Authorization": f"Key {KEY}"}


async def rows(url: str, **query: str) -> Any:
    params = {"endpoint_id": "bria/fibo-edit/relight", **query}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/v1/models/requests/by-endpoint", params=params, headers=HEAD) as answer,
    ):
        return await answer.json()


async def test_the_history_shows_what_has_ended_with_its_inputs(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate("rules: [{at: submit, nth: 2, fault: slow-job, with: {seconds: 99}}]")
    context = await connect(emulator.url, delivery="inline")
    await context.submit(1, light_type="midday")
    await context.submit(2, light_type="midday")
    (row,) = (await rows(emulator.url))["items"]
    assert row["json_input"]["light_type"] == "midday"
    assert (row["status_code"], row["json_output"]["image"]["width"]) == (200, 256)


async def test_pages_lead_to_the_next(connect: Connect, emulate: Emulate) -> None:
    emulator = await emulate()
    context = await connect(emulator.url, delivery="inline")
    for number in range(3):
        await context.submit(number)
    first = await rows(emulator.url, limit="2")
    assert (len(first["items"]), first["has_more"]) == (2, True)
    last = await rows(emulator.url, limit="2", cursor=first["next_cursor"])
    assert (len(last["items"]), last["has_more"]) == (1, False)


async def test_the_storage_opens_to_its_token_only(emulate: Emulate) -> None:
    emulator = await emulate()
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{emulator.url}/files/upload", data=b"x", headers=HEAD) as answer,
    ):
        assert answer.status == 401


async def test_a_file_is_put_where_it_was_promised_and_as_what(emulate: Emulate) -> None:
    emulator = await emulate()
    start = f"{emulator.url}/storage/upload/initiate?storage_type=fal-cdn-v3"
    given = {"file_name": "a.png", "content_type": "image/png"}
    async with aiohttp.ClientSession() as session:
        async with session.post(start, json=given) as answer:
            assert answer.status == 401
        async with session.post(start, data=b"[]", headers=HEAD) as answer:
            assert answer.status == 422
        async with session.post(start, json=given, headers=HEAD) as answer:
            places = await answer.json()
        for kind, status in (("image/jpeg", 403), ("image/png", 200)):
            head = {"Content-Type": kind}
            async with session.put(places["upload_url"], data=b"png", headers=head) as answer:
                assert answer.status == status
        async with session.get(places["file_url"]) as answer:
            assert await answer.read() == b"png"
