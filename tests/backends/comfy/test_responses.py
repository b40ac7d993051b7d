from __future__ import annotations

import json
from typing import Any

import pytest

from relightflow.backends.comfy.responses import (
    ERROR,
    estimated,
    image_url,
    micros_of,
    of_call,
    of_read,
)
from relightflow.backends.http.response import Response
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind

URL = "https://storage.comfy.org/a.png"


def answer(status: int, document: Any, kind: str = "", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, ({ERROR: kind} if kind else {}) | named, json.dumps(document).encode())


def failure(found: Response) -> Failure:
    with pytest.raises(CallFailed) as failed:
        of_call(found, "name")
    return failed.value.failure


def test_a_result_bears_our_name_and_its_cost() -> None:
    step = of_call(
        answer(200, {"result": {"image_url": URL, "seed": 5}}, X_Comfy_Credits_Used="8.44"), "name"
    )
    assert (step.request_id, step.url, step.cost, step.details["seed"]) == ("name", URL, 40_000, 5)


@pytest.mark.parametrize(
    "document",
    [
        {"result": {"image_url": URL}},
        {"data": {"generated": [URL]}},
        {"images": [{"url": URL}]},
        {"output": URL},
        {"outputs": [{"image": {"url": URL}}]},
    ],
)
def test_partners_put_their_image_in_several_places(document: Any) -> None:
    assert image_url(document) == URL


def test_a_deep_answer_and_one_without_an_image_end() -> None:
    deep: Any = URL
    for _ in range(100):
        deep = {"result": deep}
    assert image_url(deep) == image_url({"status_url": URL}) == image_url(7) == ""


@pytest.mark.parametrize(
    ("status", "kind", "wanted", "billed"),
    [
        (401, "unauthorized", FailureKind.ACCOUNT, Billed.NO),
        (402, "insufficient_credits", FailureKind.ACCOUNT, Billed.NO),
        (403, "not_enabled", FailureKind.ACCOUNT, Billed.NO),
        (404, "model_not_found", FailureKind.REFUSED_MODEL, Billed.NO),
        (400, "invalid_input", FailureKind.REFUSED_CELL, Billed.NO),
        (429, "rate_limited", FailureKind.RATE_LIMITED, Billed.NO),
        (429, "concurrency_limit_exceeded", FailureKind.RATE_LIMITED, Billed.NO),
        (409, "concurrency_limit_exceeded", FailureKind.PENDING, Billed.UNKNOWN),
        (409, "invalid_input", FailureKind.EXPIRED, Billed.UNKNOWN),
        (504, "deadline_exceeded", FailureKind.PENDING, Billed.UNKNOWN),
        (504, "provider_timeout", FailureKind.UNKNOWN, Billed.UNKNOWN),
        (500, "internal_error", FailureKind.UNKNOWN, Billed.UNKNOWN),
        (400, "content_policy_violation", FailureKind.JOB_FAILED, Billed.YES),
        (400, "provider_error", FailureKind.JOB_FAILED, Billed.YES),
        (403, "provider_error", FailureKind.JOB_FAILED, Billed.YES),
        (404, "provider_error", FailureKind.JOB_FAILED, Billed.YES),
        (422, "provider_error", FailureKind.JOB_FAILED, Billed.YES),
        (502, "provider_error", FailureKind.UNKNOWN, Billed.UNKNOWN),
        (400, "something_new", FailureKind.UNKNOWN, Billed.UNKNOWN),
        (401, "something_new", FailureKind.UNKNOWN, Billed.UNKNOWN),
        (404, "something_new", FailureKind.UNKNOWN, Billed.UNKNOWN),
        (429, "something_new", FailureKind.UNKNOWN, Billed.UNKNOWN),
        (502, "", FailureKind.UNKNOWN, Billed.UNKNOWN),
        (307, "", FailureKind.REFUSED_SAFETY, Billed.NO),
        (303, "", FailureKind.UNKNOWN, Billed.UNKNOWN),
    ],
)
def test_what_a_refusal_means_for_money(
    status: int, kind: str, wanted: FailureKind, billed: Billed
) -> None:
    found = failure(answer(status, {"x": 1} if not kind else {"detail": "d"}, kind))
    assert (found.kind, found.billed) == (wanted, billed)


def test_a_refused_field_is_named_and_an_image_is_an_image() -> None:
    row = {"loc": ["body", "image"], "msg": "image is not an image"}
    found = failure(answer(422, {"detail": [row]}, "invalid_input"))
    assert (found.kind, "image is not an image" in found.message) == (FailureKind.BAD_IMAGE, True)


def test_how_long_to_wait_is_the_routers_word() -> None:
    assert (
        failure(
            answer(409, {"detail": "d"}, "concurrency_limit_exceeded", Retry_After="7")
        ).retry_after
        == 7
    )


@pytest.mark.parametrize(
    ("credits_", "micro"),
    [
        ("211", 1_000_000),
        (8.44, 40_000),
        ("0", 0),
        ("NaN", None),
        ("-1", None),
        (True, None),
        ("x", None),
        (None, None),
    ],
)
def test_credits_are_turned_into_micro_dollars(credits_: Any, micro: int | None) -> None:
    assert micros_of(credits_) == micro


def test_an_estimate_is_read_where_there_is_one() -> None:
    assert estimated(answer(200, {"credits": 211})) == 1_000_000
    assert estimated(answer(200, {"cost": {"estimated_credits": 211}})) == 1_000_000
    assert estimated(answer(404, {"credits": 211})) is estimated(answer(200, [])) is None
    assert of_read(answer(401, {"detail": "d"}), "x").kind is FailureKind.ACCOUNT
    assert of_read(answer(401, {}), "x").kind is FailureKind.UNAVAILABLE


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 413, 422, 429])
def test_a_gateways_problem_is_no_refusal_of_the_call(status: int) -> None:
    """Where the call is sent again, a refusal says that it was never made: that must be the router's word."""
    problem = {"type": "about:blank", "title": "Refused", "status": status, "detail": "too large"}
    found = failure(answer(status, problem))
    assert (found.kind, found.billed) == (FailureKind.UNKNOWN, Billed.UNKNOWN)
    rows = {"detail": [{"loc": ["body", "light_type"], "msg": "not allowed"}]}
    assert failure(answer(422, rows)).kind is FailureKind.REFUSED_CELL


@pytest.mark.parametrize("document", [{}, {"status": "ok"}, {"detail": "x"}, {"status_url": URL}])
def test_json_that_is_nobodys_result_is_not_paid_for_and_given_up(document: Any) -> None:
    """Under its key the result can still be had."""
    found = failure(answer(200, document))
    assert (found.kind, found.billed) == (FailureKind.UNKNOWN, Billed.UNKNOWN)
    for known in (answer(200, document, Idempotent_Replayed="true"), answer(200, {"result": None})):
        assert failure(known).billed is Billed.YES
