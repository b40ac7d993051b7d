from __future__ import annotations

import base64
from typing import Any

from relightflow.backends.emulator.images import tiny

URI = "data:image/jpeg;base64," + base64.b64encode(tiny()).decode()


async def test_upload_that_has_expired_is_404_and_a_job_with_it_fails(connect: Any) -> None:
    client = await connect(asset_life=60)
    answer = await client.ask("POST", "/upload-asset", json={"data_urls": [URI]})
    (url,) = answer.json["file_urls"]
    client.clock.shift(61)
    assert (await client.get(url, key=None)).status == 404
    assert (await client.run(image=url)).status == 400


async def test_result_is_not_there_before_it_is_done(connect: Any) -> None:
    client = await connect(latency=(60, 60))
    taken = (await client.run("v2")).json
    name = client.emulator.provider.account.find(taken["request_id"]).outputs[0]
    assert (await client.get(f"/outputs/{name}", key=None)).status == 404
    client.clock.shift(60)
    assert (await client.get(f"/outputs/{name}", key=None)).status == 200


async def test_result_has_the_same_bytes_each_time(connect: Any) -> None:
    client = await connect()
    taken = (await client.run("v2")).json
    url = (await client.get(taken["response_url"])).json["output"]
    assert (await client.get(url)).body == (await client.get(url)).body


async def test_urls_are_on_the_host_that_the_caller_used(connect: Any) -> None:
    client = await connect()
    local = client.emulator.url.replace("127.0.0.1", "localhost")
    answer = await client.ask("POST", f"{local}/upload-asset", json={"data_urls": [URI]})
    assert answer.json["file_urls"][0].startswith(local + "/assets/")
