from __future__ import annotations

import base64
from typing import Any

import pytest

from relightflow.backends.emulator.images import tiny

URI = "data:image/jpeg;base64," + base64.b64encode(tiny()).decode()


@pytest.mark.parametrize("key", ["file_urls", "urls"])
async def test_upload_gives_each_image_a_public_url(connect: Any, key: Any) -> None:
    client = await connect(upload_key=key)
    answer = await client.ask("POST", "/upload-asset", json={"data_urls": [URI, URI]})
    urls = answer.json[key]
    assert len(set(urls)) == 2
    served = await client.get(urls[0], key=None)
    assert (served.body, served.headers["Content-Type"]) == (tiny(), "image/jpeg")
    assert (await client.ask("HEAD", urls[0], key=None)).status == 200


@pytest.mark.parametrize("body", [{}, {"data_urls": ["x"]}, {"data_urls": [3]}, [], "x"])
async def test_upload_of_something_else_is_400(connect: Any, body: Any) -> None:
    client = await connect()
    assert (await client.ask("POST", "/upload-asset", json=body)).status == 400


async def test_credits_go_down_with_every_billed_call(connect: Any) -> None:
    client = await connect(free_credits=2_000_000)
    await client.run()
    answer = await client.get("/v1/get-user-credits")
    assert answer.json == {"credits": 99.95, "free-credits": 2.0}
