from __future__ import annotations

import math
from typing import Any

import pytest

from relightflow.backends.emulator.images import media_type


def _plan(at: str, fault: str, options: str = "{}") -> str:
    return f"rules: [{{at: {at}, fault: {fault}, with: {options}}}]"


def _billed(client: Any) -> int:
    return int(client.emulator.bill()["totals"]["billed"])


async def _result(client: Any) -> Any:
    return await client.get((await client.run("v2")).json["response_url"])


@pytest.mark.parametrize(("value", "shown"), [("NaN", "NaN"), ("-1", "-1"), ("missing", None)])
async def test_cost_header_shows_what_it_is_told(connect: Any, value: Any, shown: Any) -> None:
    client = await connect(_plan("submit", "cost", f"{{value: {value}}}"))
    assert (await client.run()).headers.get("x-cost") == shown
    assert client.emulator.bill()["totals"]["cost"] == 0.05


@pytest.mark.parametrize("times", [1.5, 10])
async def test_cost_times_is_really_charged_and_shown_everywhere(connect: Any, times: Any) -> None:
    client = await connect(_plan("submit", "cost", f"{{times: {times}}}"))
    result = (await _result(client)).json
    charged = client.emulator.bill()["totals"]["cost"]
    assert charged == result["metrics"]["cost"] == pytest.approx(0.05 * times)


async def test_cost_in_the_metrics_can_be_nan(connect: Any) -> None:
    client = await connect(_plan("result", "cost", "{value: NaN}"))
    assert math.isnan((await _result(client)).json["metrics"]["cost"])


@pytest.mark.parametrize("value", ["null", "7", "''", "../../etc/passwd"])
async def test_request_id_is_what_it_is_told(connect: Any, value: Any) -> None:
    client = await connect(_plan("submit", "request-id", f"{{value: {value}}}"))
    answer = await client.run("v2")
    expected = {"null": None, "7": 7, "''": ""}.get(value, value)
    assert answer.json["request_id"] == expected
    assert _billed(client) == 1


async def test_request_id_can_be_missing(connect: Any) -> None:
    client = await connect(_plan("submit", "request-id"))
    assert "request_id" not in (await client.run("v2")).json
    assert "x-request-id" not in (await client.run("v1")).headers


async def test_unknown_status_word_is_shown(connect: Any) -> None:
    client = await connect(_plan("status", "unknown-status", "{word: THINKING}"))
    taken = (await client.run("v2")).json
    assert (await client.get(taken["status_url"])).json["status"] == "THINKING"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "https://example.com/a.jpg"])
async def test_output_url_points_where_it_is_told(connect: Any, url: Any) -> None:
    client = await connect(_plan("result", "output-url", f"{{url: '{url}'}}"))
    result = (await _result(client)).json
    assert result["output"] == result["images"][0]["url"] == url


async def test_output_url_can_be_the_true_file_under_another_host(connect: Any) -> None:
    client = await connect(_plan("result", "output-url", "{url: 'http://localhost:{port}{path}'}"))
    answer = await client.get((await _result(client)).json["output"], key=None)
    assert media_type(answer.body) == "image/jpeg"


async def test_status_url_points_elsewhere_and_the_true_one_still_works(connect: Any) -> None:
    client = await connect(_plan("submit", "status-url", "{url: 'http://example.com/'}"))
    taken = (await client.run("v2")).json
    assert taken["status_url"] == taken["response_url"] == "http://example.com/"
    assert (await client.get(f"/v2/requests/{taken['request_id']}/status")).status == 200
