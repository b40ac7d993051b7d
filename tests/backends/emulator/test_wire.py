from __future__ import annotations

from typing import Any


async def test_log_tells_who_sent_a_key_and_never_the_key(connect: Any) -> None:
    client = await connect("rules: [{at: status, fault: status, with: {code: 502}}]")
    taken = (await client.run("v2")).json
    await client.get(taken["status_url"])
    output = (await client.get(taken["response_url"])).json["output"]
    local = output.replace("127.0.0.1", "localhost")
    await client.get(local, key=None)
    answer = await client.get("/__requests", key=None)
    log = answer.json
    host = client.emulator.url.removeprefix("http://")
    assert log["phases"] == {"submit": 1, "status": 1, "result": 1, "download": 1}
    assert log["with_key"] == {"submit": 1, "status": 1, "result": 1, "download": 0}
    assert log["hosts"][host] == {"calls": 3, "with_key": 3}
    assert log["hosts"][local.split("/")[2]] == {"calls": 1, "with_key": 0}
    assert log["statuses"] == {"submit 200": 1, "status 502": 1, "result 200": 1, "download 200": 1}
    assert log["faults"] == {"status": 1}
    assert log["calls"][0]["path"] == "/v2/segmind-relighting"
    assert b"SG_" not in answer.body


async def test_log_lists_as_many_calls_as_asked_for(connect: Any) -> None:
    client = await connect()
    for path in ("/a", "/b", "/c"):
        await client.get(path)
    for query, paths in (("", ["/a", "/b", "/c"]), ("?calls=0", []), ("?calls=2", ["/b", "/c"])):
        log = (await client.get(f"/__requests{query}")).json
        assert [call["path"] for call in log["calls"]] == paths
