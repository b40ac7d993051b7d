from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from relightflow.backends.emulator.images import media_type


def _plan(at: str, fault: str, options: str = "{}") -> str:
    return f"rules: [{{at: {at}, fault: {fault}, with: {options}}}]"


def _billed(client: Any) -> int:
    return int(client.emulator.bill()["totals"]["billed"])


@pytest.mark.parametrize("code", [400, 401, 403, 404, 406, 410, 429, 500, 502, 503, 504])
@pytest.mark.parametrize(
    ("body", "kind"), [("json", "application/json"), ("html", "text/html"), ("none", "")]
)
async def test_status_answers_with_it_unbilled(
    connect: Any, code: Any, body: Any, kind: Any
) -> None:
    client = await connect(_plan("submit", "status", f"{{code: {code}, body: {body}}}"))
    answer = await client.run()
    assert answer.status == code
    assert answer.headers.get("Content-Type", "").startswith(kind)
    assert _billed(client) == 0


async def test_status_can_hide_a_bill(connect: Any) -> None:
    client = await connect(_plan("submit", "status", "{code: 504, body: html, billed: true}"))
    assert (await client.run()).status == 504
    assert _billed(client) == 1


@pytest.mark.parametrize("at", ["status", "result", "download", "upload", "credits", "history"])
async def test_status_can_happen_at_every_other_call(connect: Any, at: Any) -> None:
    client = await connect(_plan(at, "status", "{code: 502}"))
    taken = (await client.run("v2")).json
    output = client.emulator.provider.account.find(taken["request_id"]).outputs[0]
    paths = {
        "status": taken["status_url"],
        "result": taken["response_url"],
        "download": f"/outputs/{output}",
        "credits": "/v1/get-user-credits",
        "history": "/inference-request/request-history",
    }
    if at == "upload":
        answer = await client.ask("POST", "/upload-asset", json={"data_urls": []})
    else:
        answer = await client.get(paths[at])
    assert answer.status == 502


@pytest.mark.parametrize(
    ("reset", "header"),
    [("good", "20"), ("past", "20"), ("far", "20"), ("garbage", "soon, perhaps"), ("missing", "")],
)
async def test_rate_limit_has_the_reset_header_it_is_told(
    connect: Any, reset: Any, header: Any
) -> None:
    client = await connect(_plan("submit", "rate-limit", f"{{reset: {reset}}}"))
    answer = await client.run()
    assert answer.status == 429
    assert answer.headers.get("x-rate-limit-reset-at-utc", "").startswith(header)
    assert "Retry-After" not in answer.headers


async def test_redirect_points_where_it_is_told(connect: Any) -> None:
    client = await connect(_plan("submit", "redirect", "{to: 'http://localhost:{port}/trap'}"))
    answer = await client.run()
    port = client.emulator.url.rpartition(":")[2]
    assert (answer.status, answer.headers["Location"]) == (307, f"http://localhost:{port}/trap")


@pytest.mark.parametrize(
    ("fault", "kind", "body"),
    [("empty", "image/jpeg", b""), ("html", "text/html; charset=utf-8", b"<!doctype")],
)
async def test_body_is_not_the_image_and_was_billed(
    connect: Any, fault: Any, kind: Any, body: Any
) -> None:
    client = await connect(_plan("submit", fault))
    answer = await client.run()
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    assert answer.body.startswith(body)
    assert len(answer.body) < 200
    assert _billed(client) == 1


async def test_garbage_keeps_the_type_and_is_not_an_image(connect: Any) -> None:
    client = await connect(_plan("submit", "garbage"))
    answer = await client.run()
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert media_type(answer.body) == "application/octet-stream"


async def test_short_is_silent_about_what_is_missing(connect: Any) -> None:
    client = await connect(_plan("submit", "short"))
    answer = await client.run()
    assert int(answer.headers["Content-Length"]) == len(answer.body) < 12_000


async def test_wrong_type_keeps_the_bytes(connect: Any) -> None:
    client = await connect(_plan("submit", "wrong-type"))
    answer = await client.run()
    assert answer.headers["Content-Type"] == "text/plain"
    assert media_type(answer.body) == "image/jpeg"


async def test_huge_headers_break_a_client_that_has_a_limit(connect: Any) -> None:
    client = await connect(_plan("submit", "huge-headers", "{size: 5000}"))
    assert len((await client.run()).headers["x-padding"]) == 5000


async def test_clock_skew_shows_in_the_date(connect: Any) -> None:
    client = await connect(_plan("submit", "clock-skew", "{seconds: 3600}"))
    shown = parsedate_to_datetime((await client.run()).headers["Date"]).timestamp()
    assert shown - client.clock.now() == pytest.approx(3600, abs=5)


async def test_json_is_what_it_is_told(connect: Any) -> None:
    client = await connect(_plan("submit", "json", "{value: [1, null]}"))
    assert (await client.run("v2")).json == [1, None]


async def test_fault_lets_a_refusal_of_the_gateway_pass(connect: Any) -> None:
    client = await connect(_plan("submit", "garbage"))
    answer = await client.run(light_direction="bottom")
    assert answer.status == 406
    assert "light_direction" in json.loads(answer.body)["error"]


async def test_one_cell_is_refused_and_the_others_are_not(connect: Any) -> None:
    client = await connect(
        "rules: [{at: submit, where: {light_direction: back}, fault: status, with: {code: 500}}]"
    )
    statuses = [
        (await client.run(api, light_direction=way)).status
        for api in ("v1", "v2")
        for way in ("left", "back", "top")
    ]
    assert statuses == [200, 500, 200] * 2
    assert _billed(client) == 4
