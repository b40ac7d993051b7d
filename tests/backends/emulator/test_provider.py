from __future__ import annotations

import base64
from typing import Any

import numpy as np

from relightflow.images import decode, encode, probe

ORIGINAL = encode(np.full((64, 96, 3), 120, np.uint8), "image/png")
INLINE = "data:image/png;base64," + base64.b64encode(ORIGINAL).decode()


async def test_result_is_the_uploaded_image_relit(connect: Any) -> None:
    client = await connect(image="preview")
    answer = await client.ask("POST", "/upload-asset", json={"data_urls": [INLINE]})
    taken = (await client.run("v2", image=answer.json["file_urls"][0])).json
    result = (await client.get(taken["response_url"])).json
    image_bytes = await client.get(result["output"], key=None)
    made = probe(image_bytes.body)
    assert (made.media_type, made.width, made.height) == ("image/png", 96, 64)
    assert result["images"][0]["content_type"] == image_bytes.headers["Content-Type"] == "image/png"


async def test_same_request_twice_has_two_files_of_the_same_pixels(connect: Any) -> None:
    client = await connect(image="preview")
    first, second = [(await client.run(image=INLINE)).body for _ in range(2)]
    assert first != second
    assert (decode(first) == decode(second)).all()


async def test_latency_is_drawn_from_the_range_by_seed(connect: Any) -> None:
    seconds = []
    for seed in (1, 1, 2):
        client = await connect(latency=(5.0, 9.0), seed=seed)
        await client.run("v2")
        (record,) = client.emulator.provider.account
        seconds.append(round(record.done - record.created, 3))
    assert 5 <= min(seconds) <= max(seconds) <= 9
    assert seconds[0] == seconds[1] != seconds[2]


async def test_typical_latency_is_the_models_own(connect: Any) -> None:
    client = await connect(latency=None)
    await client.run("v2")
    (record,) = client.emulator.provider.account
    assert 9.3 < record.done - record.created < 11.4
