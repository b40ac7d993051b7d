from __future__ import annotations

import json

from aiohttp import web

from relightflow.backends.segmind.emulator import answers


def _body(response: web.Response) -> object:
    assert isinstance(response.body, bytes)
    return json.loads(response.body)


def test_an_error_is_json_with_its_status_and_headers() -> None:
    said = answers.error(429, "Slow down", {"x-rate-limit-reset-at-utc": "soon"})
    assert (said.status, said.content_type) == (429, "application/json")
    assert said.headers["x-rate-limit-reset-at-utc"] == "soon"
    assert _body(said) == {"error": "Slow down"}


def test_the_auth_surface_says_its_status_a_second_time_in_the_body() -> None:
    said = answers.auth_error(answers.NO_KEY)
    assert said.status == 401
    assert _body(said) == {
        "error": answers.NO_KEY,
        "error_description": answers.NO_KEY,
        "status_code": 401,
    }


def test_money_is_said_in_dollars() -> None:
    assert _body(answers.insufficient(20_000, 50_000)) == {
        "error": "Insufficient credits. Your balance is $0.02, this request needs $0.05."
    }
    assert "limit of $1,000.00 reached" in str(_body(answers.spend_limit(1_000_000_000)))
