from __future__ import annotations

import base64
from typing import Any

import aiohttp
import pytest

from relightflow.backends.emulator.images import media_type


async def test_answers_with_the_image_and_the_gateways_headers(connect: Any) -> None:
    client = await connect()
    answer = await client.run()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == media_type(answer.body) == "image/jpeg"
    assert answer.headers["x-cost"] == "0.05"
    assert answer.headers["x-remaining-credits"] == "99.950000"
    for name in ("x-request-id", "x-generation-time", "x-seed-value"):
        assert answer.headers[name]


@pytest.mark.parametrize(
    ("shape", "find"),
    [
        ("json-url", lambda body: body["output"]),
        ("json-urls", lambda body: body["output"][0]),
        ("json-images", lambda body: body["images"][0]["url"]),
    ],
)
async def test_brings_the_image_by_url_in_every_json_shape(
    connect: Any, shape: Any, find: Any
) -> None:
    client = await connect(v1_shape=shape)
    answer = await client.run()
    image_bytes = await client.get(find(answer.json), key=None)
    assert media_type(image_bytes.body) == "image/jpeg"


async def test_brings_the_image_in_base64(connect: Any) -> None:
    client = await connect(v1_shape="json-base64")
    answer = await client.run()
    assert media_type(base64.b64decode(answer.json["image"])) == "image/jpeg"


async def test_never_gives_the_same_bytes_twice_for_two_requests(connect: Any) -> None:
    client = await connect()
    assert (await client.run()).body != (await client.run()).body


async def test_bills_a_call_whose_caller_went_away(connect: Any) -> None:
    client = await connect(latency=(30.0, 30.0))
    with pytest.raises(TimeoutError):
        await client.ask(
            "POST",
            "/v1/segmind-relighting",
            json={"image": "https://example.com/a.jpg", "light_direction": "left"}
            | {"light_intensity": "mood", "light_temperature": "warm", "light_type": "softbox"},
            timeout=aiohttp.ClientTimeout(total=0.3),
        )
    assert client.emulator.bill()["totals"]["billed"] == 1
