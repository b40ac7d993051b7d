from __future__ import annotations

from typing import Any


async def test_is_queued_then_processed_then_completed(connect: Any) -> None:
    client = await connect(latency=(100.0, 100.0))
    taken = (await client.run("v2")).json
    assert taken["status"] == "QUEUED"
    words = []
    for seconds in (0, 20, 100):
        client.clock.shift(seconds)
        words.append((await client.get(taken["status_url"])).json["status"])
    assert words == ["QUEUED", "PROCESSING", "COMPLETED"]


async def test_result_has_output_images_seed_and_metrics(connect: Any) -> None:
    client = await connect()
    taken = (await client.run("v2")).json
    result = (await client.get(taken["response_url"])).json
    assert result["metrics"]["cost"] == 0.05
    assert result["metrics"]["remaining_credits"] == 99.95
    assert result["output"] == result["images"][0]["url"]
    image_bytes = await client.get(result["output"], key=None)
    assert len(image_bytes.body) == result["images"][0]["file_size"]


async def test_unreachable_input_fails_unbilled_with_422_on_both_gets(connect: Any) -> None:
    client = await connect()
    taken = (await client.run("v2", image="http://127.0.0.1:1/assets/none.jpg")).json
    for url in (taken["status_url"], taken["response_url"]):
        answer = await client.get(url)
        assert (answer.status, answer.json["status"]) == (422, "FAILED")
    assert client.emulator.bill()["totals"] == {
        "requests": 1,
        "billed": 0,
        "unbilled": 1,
        "cost": 0,
    }


async def test_record_is_forgotten_after_its_life_and_the_file_is_not(connect: Any) -> None:
    client = await connect(record_life=3600)
    taken = (await client.run("v2")).json
    output = (await client.get(taken["response_url"])).json["output"]
    client.clock.shift(3601)
    assert (await client.get(taken["status_url"])).status == 404
    assert (await client.get(taken["response_url"])).status == 404
    assert (await client.get(output, key=None)).status == 200
    client.clock.shift(7 * 86400)
    assert (await client.get(output, key=None)).status == 404


async def test_model_that_is_only_on_v1_is_unknown_to_v2(connect: Any) -> None:
    client = await connect(v1_only=frozenset({"segmind-relighting"}))
    assert (await client.run("v2")).status == 404
    assert (await client.run("v1")).status == 200


async def test_several_outputs_are_several_images_and_rows(connect: Any) -> None:
    client = await connect()
    body = {"subject_image": "https://example.com/a.jpg", "prompt": "dawn", "number_of_images": 3}
    taken = (await client.ask("POST", "/v2/ic-light", json=body)).json
    assert len((await client.get(taken["response_url"])).json["images"]) == 3
    rows = (await client.get("/inference-request/request-history")).json["data"]
    assert [row["request_id"] for row in rows] == [taken["request_id"]] * 3
