"""What answers mean: above all, what was billed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relightflow.backends.http.response import Response
from relightflow.backends.replicate import responses
from relightflow.model.failure import Billed, FailureKind

NO, YES, UNKNOWN = Billed.NO, Billed.YES, Billed.UNKNOWN
K = FailureKind


def said(code: int, /, **body: Any) -> Response:
    return Response(code, body=json.dumps(body).encode())


def own(status: int, title: str = "T", detail: str = "no", **more: Any) -> Response:
    return said(status, title=title, detail=detail, status=status, **more)


FIELDS = [{"field": "input.subject_image", "type": "required", "description": "missing"}]


@pytest.mark.parametrize(
    ("answer", "kind", "billed"),
    [
        (own(401), K.ACCOUNT, NO),
        (own(402, "Insufficient credit"), K.ACCOUNT, NO),
        (own(403), K.ACCOUNT, NO),
        (own(404), K.REFUSED_MODEL, NO),
        (own(422, "Invalid version or not permitted"), K.REFUSED_MODEL, NO),
        (own(422, "Input validation failed", "- input: cfg is too large"), K.REFUSED_CELL, NO),
        (own(422, "Input validation failed", invalid_fields=FIELDS), K.BAD_IMAGE, NO),
        (own(413), K.BAD_IMAGE, NO),
        (own(429), K.RATE_LIMITED, NO),
        (own(500), K.UNKNOWN, UNKNOWN),
        (own(503), K.UNKNOWN, UNKNOWN),
        # what is not its own says nothing of the call
        (own(422, type="about:blank"), K.UNKNOWN, UNKNOWN),
        (said(422, detail="no", status=400), K.UNKNOWN, UNKNOWN),
        (said(401, error="no"), K.UNKNOWN, UNKNOWN),
        (said(429), K.UNKNOWN, UNKNOWN),
        (Response(200, body=b"<html>"), K.UNKNOWN, UNKNOWN),
        (Response(303), K.UNKNOWN, UNKNOWN),
        (Response(307), K.REFUSED_SAFETY, NO),
        (Response(502, body=b"<html>"), K.UNKNOWN, UNKNOWN),
        (Response(504), K.UNKNOWN, UNKNOWN),
    ],
    ids=str,
)
def test_only_a_plain_refusal_of_its_own_is_unbilled(
    answer: Response, kind: FailureKind, billed: Billed
) -> None:
    failure = responses.of_submit(answer, "zsxkib/ic-light", "subject_image")
    assert (failure.kind, failure.billed) == (kind, billed), failure.message


@pytest.mark.parametrize(
    ("detail", "headers", "seconds"),
    [
        ("Request was throttled. Your rate limit resets in ~30s.", {}, 30.0),
        ("Request was throttled. Expected available in 1 second.", {}, 1.0),
        ("resets in ~250ms", {}, 0.25),
        ("Your rate limit resets in ~2m.", {}, 120.0),
        ("Request was throttled.", {}, None),
        ("resets in ~30s", {"Retry-After": "5"}, 5.0),
        ("resets in ~" + "9" * 5000, {}, None),
    ],
)
def test_the_end_of_a_limit_stands_in_the_text(
    detail: str, headers: dict[str, str], seconds: float | None
) -> None:
    body = json.dumps({"detail": detail}).encode()
    assert (
        responses.VERDICTS.of_read(Response(429, headers, body), "polling").retry_after == seconds
    )


def test_a_failure_costs_the_time_that_it_ran_and_one_that_never_started_nothing() -> None:
    found = {"model": "zsxkib/ic-light", "error": "boom", "metrics": {"predict_time": 4.0}}
    failed = responses.of_ended(found, "failed", "id-12345")
    assert (failed.kind, failed.billed, failed.cost) == (K.JOB_FAILED, YES, 3900)
    canceled = responses.of_ended({"model": "zsxkib/ic-light"}, "canceled", "id-12345")
    assert (canceled.billed, canceled.cost) == (YES, None)
    aborted = responses.of_ended(found, "aborted", "id-12345")
    assert (aborted.billed, aborted.kind) == (NO, K.JOB_FAILED)


@pytest.mark.parametrize(
    ("output", "url"),
    [
        (["https://r/a", "https://r/b"], "https://r/a"),
        ("https://r/a", "https://r/a"),
        (None, ""), ([], ""), ([None, 3], ""), ({"a": 1}, ""), ("data:image/png;base64,x", ""),
    ],
)  # fmt: skip
def test_the_result_is_the_first_url(output: Any, url: str) -> None:
    assert responses.image_url({"output": output}) == url


@pytest.mark.parametrize("value", [None, "true", 1, "yes", {}])
def test_only_a_plain_yes_says_that_a_result_is_deleted(value: Any) -> None:
    assert not responses.removed({"data_removed": value})
    assert responses.removed({"data_removed": True})
