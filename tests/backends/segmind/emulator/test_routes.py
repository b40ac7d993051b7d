from __future__ import annotations

from typing import Any

import pytest

MODEL = "segmind-relighting"


@pytest.mark.parametrize(
    ("method", "path", "phase"),
    [
        ("POST", f"/v1/{MODEL}", "submit"),
        ("POST", f"/v2/{MODEL}", "submit"),
        ("POST", f"/v2/{MODEL}/", "submit"),
        ("GET", "/v1/get-user-credits", "credits"),
        ("GET", "/v2/requests/abc/status", "status"),
        ("GET", "/v2/requests/abc", "result"),
        ("HEAD", "/outputs/abc", "download"),
        ("GET", "/assets/abc", "asset"),
        ("POST", "/upload-asset", "upload"),
        ("GET", "/inference-request/request-history", "history"),
        ("GET", "/inference-request/request-history/abc", "history"),
    ],
)
async def test_a_path_and_its_verb_are_a_phase(
    connect: Any, method: str, path: str, phase: str
) -> None:
    client = await connect()
    await client.ask(method, path)
    assert client.emulator.requests()["phases"] == {phase: 1}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"/v1/{MODEL}"),
        ("GET", f"/v2/{MODEL}"),
        ("POST", "/v1/get-user-credits"),
        ("DELETE", "/v2/requests/abc"),
        ("POST", "/outputs/abc"),
    ],
)
async def test_wrong_verb_is_405_in_html(connect: Any, method: str, path: str) -> None:
    client = await connect()
    answer = await client.ask(method, path)
    assert answer.status == 405
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v3/x", "/v2/requests/a/b", "/outputs/a/b", "/v2/requests/a/status/b"]
)
async def test_another_path_is_404_in_the_envelope_of_errors(connect: Any, path: str) -> None:
    client = await connect()
    answer = await client.get(path)
    assert (answer.status, answer.json) == (404, {"error": "Not found"})


async def test_the_bill_and_the_log_need_no_key_and_are_not_logged(connect: Any) -> None:
    client = await connect("rules: [{at: submit, fault: hang}]")
    for path in ("/__bill", "/__requests", "/__requests?calls=x"):
        assert (await client.get(path, key=None)).status == 200
    assert client.emulator.requests()["calls"] == []
