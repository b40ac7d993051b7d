from __future__ import annotations

from typing import Any


def _plan(at: str, fault: str, options: str = "{}") -> str:
    return f"rules: [{{at: {at}, fault: {fault}, with: {options}}}]"


def _billed(client: Any) -> int:
    return int(client.emulator.bill()["totals"]["billed"])


async def test_job_failed_is_422_on_both_gets_and_unbilled(connect: Any) -> None:
    client = await connect(_plan("submit", "job-failed", "{error: no face}"))
    taken = (await client.run("v2")).json
    for url in (taken["status_url"], taken["response_url"]):
        answer = await client.get(url)
        assert (answer.status, answer.json["error"]) == (422, "no face")
    assert _billed(client) == 0


async def test_slow_job_stays_in_processing(connect: Any) -> None:
    client = await connect(_plan("submit", "slow-job", "{seconds: 3000}"))
    taken = (await client.run("v2")).json
    client.clock.shift(2999)
    assert (await client.get(taken["status_url"])).json["status"] == "PROCESSING"


async def test_expired_record_is_404_and_still_in_the_history(connect: Any) -> None:
    client = await connect(_plan("submit", "expire"))
    taken = (await client.run("v2")).json
    assert (await client.get(taken["status_url"])).status == 404
    path = f"/inference-request/request-history/{taken['request_id']}"
    assert (await client.get(path)).json["credits_deduction"] == 0.05


async def test_unrecorded_request_never_shows_in_the_history(connect: Any) -> None:
    client = await connect(_plan("submit", "unrecorded"))
    await client.run("v2")
    page = await client.get("/inference-request/request-history")
    assert page.json["data"] == []
    assert _billed(client) == 1
