from __future__ import annotations

import base64
import email.utils
import io
import json
from typing import Any

import aiohttp
import pytest

from relightflow.backends.emulator.images import tiny

MODEL = "segmind-relighting"


async def test_log_has_paths_that_do_not_exist(connect: Any) -> None:
    client = await connect()
    await client.get("/trap")
    assert client.emulator.requests()["phases"] == {"unknown": 1}


async def test_a_refusal_passes_through_a_fault_unchanged(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: empty}]")
    answer = await client.ask("POST", f"/v1/{MODEL}", key=None, json={})
    assert answer.status == 401
    log = client.emulator.requests()
    assert (log["faults"], log["statuses"]) == ({"empty": 1}, {"submit 401": 1})


async def test_a_dropped_call_is_logged_as_answered_by_nobody(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: reset-after-body}]")
    with pytest.raises(aiohttp.ClientError):
        await client.run()
    assert client.emulator.requests()["statuses"] == {"submit 0": 1}


async def test_a_plan_that_reads_the_body_leaves_it_for_the_answer(connect: Any) -> None:
    client = await connect("rules: [{at: submit, where: {light_direction: right}, fault: empty}]")
    answer = await client.run()
    assert (answer.status, answer.body[:2]) == (200, b"\xff\xd8")


@pytest.mark.parametrize("body", [b"[1]", b"{", b'{"a": "\xff"}', b"[" * 100_000])
async def test_a_plan_that_reads_the_body_stands_any_body(connect: Any, body: bytes) -> None:
    client = await connect("rules: [{at: submit, where: {light_direction: left}, fault: empty}]")
    headers = {"Content-Type": "application/json"}
    answer = await client.ask("POST", f"/v1/{MODEL}", data=body, headers=headers)
    assert answer.status == 400


async def test_a_clock_that_is_off_shows_in_every_answers_date(connect: Any) -> None:
    client = await connect(clock_skew=-86400.0)
    for path in ("/v1/get-user-credits", "/__bill"):
        date = (await client.get(path)).headers["Date"]
        shown = email.utils.parsedate_to_datetime(date).timestamp()
        assert abs(shown - client.clock.shown()) < 60


async def test_a_body_of_more_than_a_megabyte_is_read(connect: Any) -> None:
    client = await connect()
    inline = "data:image/jpeg;base64," + base64.b64encode(tiny() + b"\x00" * (1 << 20)).decode()
    body = json.dumps({"image": inline, "light_direction": "left"}).encode()
    headers = {"Content-Type": "application/json"}
    answer = await client.ask("POST", f"/v1/{MODEL}", data=io.BytesIO(body), headers=headers)
    assert (answer.status, answer.json["error"]) == (400, "Missing required field: light_intensity")
