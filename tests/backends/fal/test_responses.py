"""What fal's refusals mean for money: unbilled only where fal itself says a plain no."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relightflow.backends.fal.responses import VERDICTS, detail, of_job, of_submit
from relightflow.backends.http.response import Response
from relightflow.model.failure import Billed, FailureKind

ROW = [{"loc": ["body", "light_type"], "msg": "unexpected value", "type": "value_error"}]


def said(status: int, body: Any = None) -> Response:
    return Response(status, {}, json.dumps({"detail": body or "no"}).encode())


@pytest.mark.parametrize(
    ("status", "kind", "billed"),
    [
        (303, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (307, FailureKind.REFUSED_SAFETY, Billed.NO),
        (400, FailureKind.REFUSED_CELL, Billed.NO),
        (401, FailureKind.ACCOUNT, Billed.NO),
        (402, FailureKind.ACCOUNT, Billed.NO),
        (403, FailureKind.ACCOUNT, Billed.NO),
        (404, FailureKind.REFUSED_MODEL, Billed.NO),
        (409, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (422, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (429, FailureKind.RATE_LIMITED, Billed.NO),
        (500, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (503, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (504, FailureKind.UNKNOWN, Billed.UNKNOWN),
    ],
)
def test_what_a_refused_submit_means(status: int, kind: FailureKind, billed: Billed) -> None:
    failure = of_submit(said(status), "m")
    assert (failure.kind, failure.billed) == (kind, billed)


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 500, 502, 503])
@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"",
        b'{"error": "x"}',
        b'{"detail": 5}',
        b'{"type": "about:blank", "title": "Refused", "detail": "a gateway of RFC 9457"}',
    ],
)
def test_what_is_not_fals_own_may_have_been_taken(status: int, body: bytes) -> None:
    failure = of_submit(Response(status, {}, body), "m")
    assert (failure.kind, failure.billed) == (FailureKind.UNKNOWN, Billed.UNKNOWN)


def test_a_failed_call_is_free_from_500_on_and_below_it_nobody_knows() -> None:
    assert of_job(500, "out of memory", "id").billed is Billed.NO
    refused = of_job(422, "unsafe", "id")
    assert (refused.kind, refused.billed) == (FailureKind.JOB_FAILED, Billed.UNKNOWN)
    assert "may bill" in refused.message


def test_a_list_of_problems_is_told_with_their_places() -> None:
    assert detail(said(422, ROW)) == "light_type: unexpected value"


def test_a_free_call_is_never_billed() -> None:
    for status in (401, 429, 302, 500):
        assert VERDICTS.of_read(said(status), "reading").billed is Billed.NO
