from __future__ import annotations

import pytest

from relightflow.network.webaddress import parse
from relightflow.sources.urls import failures

NOW = {"Date": "Mon, 02 Mar 2026 12:00:00 GMT"}
BASE = "https://a.example/x.jpg"


def why(query: str, status: int, body: bytes = b"") -> str:
    return failures.why(status, parse(BASE + query), NOW, body)


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ("?X-Amz-Date=20260302T110000Z&X-Amz-Expires=3600&X-Amz-Signature=1", 403, b""),
        ("?X-Goog-Date=20260301T110000Z&X-Goog-Expires=60&X-Goog-Signature=1", 400, b""),
        ("?Expires=1772452799&Signature=1", 403, b""),
        ("?se=2026-03-02T11:59:59Z&sig=1", 403, b""),
        ("?Expires=1772452799&Signature=1", 410, b""),
        ("?t=1", 403, b"<Code>AccessDenied</Code><Message>Request has expired</Message>"),
        ("?t=1", 400, b"<Code>ExpiredToken</Code>"),
    ],
)
def test_a_link_whose_time_is_over_is_expired_and_not_missing(
    query: str, status: int, body: bytes
) -> None:
    assert "has expired" in why(query, status, body)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("?X-Amz-Date=20260302T115959Z&X-Amz-Expires=3600&X-Amz-Signature=1", 403, "was refused"),
        ("?sig=1", 401, "was refused"),
        ("", 403, "requires a credential"),
        ("?w=100", 401, "requires a credential"),
        ("", 404, "not found"),
        ("?Expires=1772452799&Signature=1", 404, "not found"),
        ("", 410, "not found"),
        ("", 503, "is unavailable"),
        ("", 429, "is unavailable"),
        ("", 204, "did not return an image"),
        ("", 206, "did not return an image"),
        ("?Expires=99999999999999&Signature=1", 403, "was refused"),
        ("?X-Amz-Date=20269902T115959Z&X-Amz-Expires=3600&X-Amz-Signature=1", 403, "was refused"),
    ],
)
def test_any_other_status_is_said_for_what_it_is(query: str, status: int, words: str) -> None:
    assert words in why(query, status)


def test_a_password_counts_as_a_credential() -> None:
    words = failures.why(401, parse("https://u:p@a.example/"), NOW, b"")
    assert "the credential in the URL was refused" in words


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_troubles_of_the_moment_pass(status: int) -> None:
    assert failures.passing(status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_verdicts_do_not(status: int) -> None:
    assert not failures.passing(status)


@pytest.mark.parametrize("text", ["", "yesterday", "Mon, 99 Mar 2026 12:00:00 GMT"])
def test_a_time_that_cannot_be_read_is_none(text: str) -> None:
    assert failures.date(text) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "9" * 30}, None),
        ({"Retry-After": "Mon, 02 Mar 2020 12:00:05 GMT"}, 5.0),
        ({"Retry-After": "Mon, 02 Mar 2020 11:00:00 GMT"}, 0.0),
        (
            {
                "Retry-After": "Mon, 02 Mar 2026 12:00:30 GMT",
                "Date": "Mon, 02 Mar 2026 12:00:00 GMT",
            },
            30.0,
        ),
    ],
)
def test_patience_is_asked_for_in_seconds_or_by_the_server_s_own_clock(
    headers: dict[str, str], seconds: float | None
) -> None:
    here = failures.date("Mon, 02 Mar 2020 12:00:00 GMT")
    assert here is not None
    assert failures.retry_after(headers, here.timestamp()) == seconds
