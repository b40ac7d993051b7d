from __future__ import annotations

import json
from typing import Any

import pytest

from relightflow.backends.http.response import Response
from relightflow.backends.segmind.responses import of_read, of_submit
from relightflow.model.failure import EXIT_OF, Billed, FailureKind

MODEL = "segmind-relighting"
NO_KEY = {
    "error": "Unauthorized",
    "error_description": "Missing Authorization or x-api-key in header",
    "status_code": 401,
}
BAD_KEY = {
    "error": "Unauthorized",
    "error_description": "Unauthorized. API key is invalid or may have expired",
    "status_code": 401,
}
PAGE = b"<html><head><style>a{}</style></head><body><h1>502 Bad Gateway</h1></body></html>"


def said(status: int, body: Any = b"", **headers: str) -> Response:
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    return Response(status, {k.replace("_", "-"): v for k, v in headers.items()}, data)


def error(status: int, text: str) -> Response:
    return said(status, {"error": text})


@pytest.mark.parametrize(
    ("answer", "api", "kind", "billed"),
    [
        (error(400, "Missing required field: light_type"), "v2", FailureKind.REFUSED_CELL, "no"),
        (error(400, "Unable to fetch the input image"), "v1", FailureKind.BAD_IMAGE, "no"),
        (said(401, NO_KEY), "v2", FailureKind.ACCOUNT, "no"),
        (said(401, BAD_KEY), "v2", FailureKind.ACCOUNT, "no"),
        (error(402, "Payment required"), "v2", FailureKind.ACCOUNT, "no"),
        (error(403, "You do not have access"), "v2", FailureKind.ACCOUNT, "no"),
        (error(404, "Model not found"), "v1", FailureKind.REFUSED_MODEL, "no"),
        (said(405, b"<html>405 Method Not Allowed</html>"), "v2", FailureKind.REFUSED_MODEL, "no"),
        (error(406, "Invalid content type"), "v2", FailureKind.REFUSED_MODEL, "no"),
        (error(406, "Insufficient credits: 0.01 of 0.05"), "v2", FailureKind.ACCOUNT, "no"),
        (error(406, "Team spend limit reached"), "v2", FailureKind.ACCOUNT, "no"),
        (error(406, "light_direction must be one of top"), "v2", FailureKind.REFUSED_CELL, "no"),
        (error(406, "Nobody ever saw this text"), "v2", FailureKind.ACCOUNT, "no"),
        (said(406), "v2", FailureKind.UNKNOWN, "unknown"),
        (error(410, "Model retired"), "v2", FailureKind.REFUSED_MODEL, "no"),
        (error(413, "Too large"), "v2", FailureKind.BAD_IMAGE, "no"),
        (said(413, PAGE), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(401, PAGE), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(403, PAGE), "v1", FailureKind.UNKNOWN, "unknown"),
        (said(404, PAGE), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(422, PAGE), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(429, PAGE), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(400, {"error": {"code": 400}}), "v2", FailureKind.UNKNOWN, "unknown"),
        (error(422, "CUDA out of memory"), "v1", FailureKind.JOB_FAILED, "no"),
        (error(429, "Too many requests"), "v2", FailureKind.RATE_LIMITED, "no"),
        (error(500, "Internal error"), "v1", FailureKind.UNAVAILABLE, "no"),
        (said(500, PAGE), "v2", FailureKind.UNKNOWN, "unknown"),
        (error(502, "Bad gateway"), "v1", FailureKind.UNAVAILABLE, "no"),
        (error(503, "Unavailable"), "v2", FailureKind.UNAVAILABLE, "no"),
        (error(504, "Timed out"), "v2", FailureKind.UNAVAILABLE, "no"),
        (error(504, "Timed out"), "v1", FailureKind.UNKNOWN, "unknown"),
        (said(502, PAGE), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(503), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(504, PAGE), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(502, {"message": "not the gateway's"}), "v2", FailureKind.UNKNOWN, "unknown"),
        (error(520, "Somebody else's"), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(408), "v1", FailureKind.UNKNOWN, "unknown"),
        (error(408, "Timeout"), "v2", FailureKind.UNKNOWN, "unknown"),
        (error(418, "I refuse"), "v2", FailureKind.REFUSED_CELL, "no"),
        (said(202, {}), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(204), "v1", FailureKind.UNKNOWN, "unknown"),
        (said(303, location="https://example.com/"), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(301, location="https://example.com/"), "v1", FailureKind.UNKNOWN, "unknown"),
        (said(302, location="https://example.com/"), "v2", FailureKind.UNKNOWN, "unknown"),
        (error(302, "Found"), "v2", FailureKind.UNKNOWN, "unknown"),
        (said(307), "v1", FailureKind.REFUSED_SAFETY, "no"),
    ],
    ids=lambda value: f"{value.status}-{value.text[:12]}" if isinstance(value, Response) else None,
)
def test_each_status_of_a_submit_has_its_verdict(
    answer: Response, api: str, kind: FailureKind, billed: str
) -> None:
    failure = of_submit(answer, api, MODEL)
    assert (failure.kind, failure.billed) == (kind, Billed(billed))
    assert failure.status == answer.status
    assert failure.message


def test_the_two_401s_are_told_apart() -> None:
    assert "the key did not reach Segmind" in of_submit(said(401, NO_KEY), "v2", MODEL).message
    assert "refused the key" in of_submit(said(401, BAD_KEY), "v2", MODEL).message


def test_credits_show_balance_and_need() -> None:
    words = of_submit(error(406, "Insufficient credits: have 0.01, need 0.05"), "v2", MODEL).message
    assert "0.01" in words
    assert "0.05" in words


def test_a_missing_model_names_the_nearest() -> None:
    assert "'ic-light'" in of_submit(error(404, "no"), "v1", "iclight").message


def test_an_html_page_is_shown_as_its_words() -> None:
    words = of_submit(said(500, PAGE), "v2", MODEL).message
    assert "502 Bad Gateway" in words
    assert "<" not in words


def test_a_page_of_a_megabyte_is_shown_shortly() -> None:
    assert len(of_submit(said(405, b"<p>" + b"x" * 1_000_000), "v2", MODEL).message) < 500


def test_an_unknown_outcome_keeps_what_was_said() -> None:
    assert of_submit(said(502, PAGE), "v2", MODEL).kept == PAGE


def test_a_429_tells_how_long_by_the_servers_own_clock() -> None:
    answer = Response(
        429,
        {
            "Date": "Mon, 23 Nov 2026 12:00:00 GMT",
            "x-rate-limit-reset-at-utc": "2026-11-23T12:00:07Z",
        },
    )
    assert of_submit(answer, "v2", MODEL).retry_after == 7.0


def test_no_key_and_no_url_of_the_providers_text_is_shown() -> None:
    text = "key SG_0123456789abcdef at https://u:p@images.segmind.com/o/secret.png?sig=abc\x1b[31m"
    words = of_submit(error(500, text), "v2", MODEL).message
    for secret in ("0123456789abcdef", "u:p", "secret.png", "sig=abc", "\x1b"):
        assert secret not in words


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, FailureKind.ACCOUNT),
        (429, FailureKind.RATE_LIMITED),
        (302, FailureKind.REFUSED_SAFETY),
        (500, FailureKind.UNAVAILABLE),
        (503, FailureKind.UNAVAILABLE),
        (404, FailureKind.UNAVAILABLE),
    ],
)
def test_a_free_call_is_never_billed(status: int, kind: FailureKind) -> None:
    failure = of_read(error(status, "words"), "asking")
    assert (failure.kind, failure.billed) == (kind, Billed.NO)


def test_stopping_kinds_end_with_their_exit_code() -> None:
    assert EXIT_OF[of_submit(said(307), "v2", MODEL).kind] == 9
    assert EXIT_OF[of_submit(said(401, BAD_KEY), "v2", MODEL).kind] == 4
    assert EXIT_OF[of_submit(said(504), "v1", MODEL).kind] == 5


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_proxys_page_at_a_free_call_says_nothing_of_the_account(status: int) -> None:
    assert of_read(Response(status, {}, b"<html>"), "polling").kind is FailureKind.UNAVAILABLE
    assert of_read(error(status, "no such key"), "polling").kind is FailureKind.ACCOUNT
