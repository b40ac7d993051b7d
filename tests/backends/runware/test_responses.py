from __future__ import annotations

import json
from typing import Any

import pytest

from relightflow.backends.http.response import Response
from relightflow.backends.runware.responses import of_details, of_poll, of_read, of_submit, own
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown

UUID = "b2a5d7a0-0000-4000-8000-000000000001"
PASSING = (FailureKind.UNAVAILABLE, FailureKind.ACCOUNT, FailureKind.RATE_LIMITED)
"""Of a look, which leaves the task open."""
DONE = {"taskUUID": UUID, "imageURL": "https://im.runware.ai/a.png", "cost": 0.04, "seed": 3}


def answer(document: Any, status: int = 200) -> Response:
    return Response(status, {}, json.dumps(document).encode())


def error(code: str, **facts: Any) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": "m", "taskUUID": UUID, **facts}]}


def failure(found: Any) -> Failure:
    with pytest.raises(CallFailed) as failed:
        found()
    return failed.value.failure


@pytest.mark.parametrize("status", [200, 400])
def test_a_conflict_means_that_the_task_was_accepted_earlier(status: int) -> None:
    """Whatever the status is: that it comes with 400 is a third party's word."""
    assert of_submit(answer(error("conflictTaskUUID"), status), UUID) == Accepted(UUID)


def test_rows_are_matched_by_the_uuid_whatever_their_order() -> None:
    other = {**DONE, "taskUUID": "another", "imageURL": "https://im.runware.ai/b.png"}
    step = of_submit(answer({"data": [other, DONE, DONE]}), UUID)
    assert isinstance(step, ResultKnown)
    assert (step.url, step.cost, step.details["seed"]) == (DONE["imageURL"], 40_000, 3)


@pytest.mark.parametrize(
    ("document", "status", "kind", "billed"),
    [
        (error("invalidApiKey"), 401, FailureKind.ACCOUNT, Billed.NO),
        (error("insufficientCredits"), 402, FailureKind.ACCOUNT, Billed.NO),
        (error("rateLimitExceeded"), 200, FailureKind.RATE_LIMITED, Billed.NO),
        (error("invalidLightType"), 400, FailureKind.REFUSED_CELL, Billed.NO),
        (error("invalidImage", parameter="inputs.image"), 400, FailureKind.BAD_IMAGE, Billed.NO),
        (error("invalidModel", parameter="model"), 400, FailureKind.REFUSED_MODEL, Billed.NO),
        (error("timeoutProvider"), 400, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("somethingNew"), 400, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("invalidProviderContent"), 400, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("unknownError"), 400, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("modelError"), 400, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("invalidThing"), 500, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("concurrencyTimeout"), 504, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("providerRateLimit"), 400, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("contentForbidden"), 403, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("busy"), 503, FailureKind.UNAVAILABLE, Billed.NO),
        (error("invalidRequest", taskUUID=None), 400, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("overloaded", taskUUID=None), 503, FailureKind.UNKNOWN, Billed.UNKNOWN),
        (error("conflictTaskUUID", taskUUID=None), 400, FailureKind.UNKNOWN, Billed.UNKNOWN),
        ({"data": []}, 200, FailureKind.UNKNOWN, Billed.UNKNOWN),
        ({"detail": "nginx"}, 404, FailureKind.UNKNOWN, Billed.UNKNOWN),
        ({"detail": "see other"}, 303, FailureKind.UNKNOWN, Billed.UNKNOWN),
        ({"detail": "moved"}, 307, FailureKind.REFUSED_SAFETY, Billed.NO),
    ],
)
def test_a_refusal_is_unbilled_only_where_the_provider_says_so(
    document: Any, status: int, kind: FailureKind, billed: Billed
) -> None:
    found = failure(lambda: of_submit(answer(document, status), UUID))
    assert (found.kind, found.billed) == (kind, billed)


@pytest.mark.parametrize(
    ("row", "billed", "cost"),
    [
        ({"status": "error", "code": "contentBlocked"}, Billed.YES, None),
        ({"status": "error", "code": "x", "cost": 0.04}, Billed.YES, 40_000),
        ({"status": "error", "code": "x", "cost": 0}, Billed.NO, None),
        ({"code": "invalidImage"}, Billed.NO, None),
        ({"code": "invalidProviderContent"}, Billed.YES, None),
        ({"code": "unknownError"}, Billed.YES, None),
        ({"code": "modelTimeout"}, Billed.YES, None),
    ],
)
def test_a_task_that_failed_counts_as_billed_unless_its_row_says_otherwise(
    row: dict[str, Any], billed: Billed, cost: int | None
) -> None:
    document = {"errors": [{"taskUUID": UUID, "message": "m", **row}]}
    found = of_poll(answer(document), UUID)
    assert isinstance(found, Failure)
    assert (found.kind, found.billed, found.cost) == (FailureKind.JOB_FAILED, billed, cost)


@pytest.mark.parametrize("document", [{"data": []}, error("taskNotFound")])
def test_a_task_that_is_not_active_is_looked_up_elsewhere(document: Any) -> None:
    assert of_poll(answer(document, 400), UUID) is None


@pytest.mark.parametrize("word", ["processing", "pending", "a new word"])
def test_every_word_that_is_no_end_means_that_it_still_runs(word: str) -> None:
    rows = {"data": [{"taskUUID": UUID, "status": word}]}
    assert of_poll(answer(rows), UUID) == Accepted(UUID)


@pytest.mark.parametrize(
    ("status", "body"), [(502, b"<html>"), (401, b"{}"), (429, b""), (200, b"[]")]
)
def test_a_look_that_fails_says_nothing_of_the_task(status: int, body: bytes) -> None:
    assert failure(lambda: of_poll(Response(status, {}, body), UUID)).kind in PASSING


def test_a_record_says_what_became_of_a_task() -> None:
    def record(response: Any) -> Response:
        return answer(
            {"data": [{"taskType": "getTaskDetails", "taskUUID": UUID, "response": response}]}
        )

    assert isinstance(of_details(record({"data": [DONE]}), UUID), ResultKnown)
    assert of_details(record({}), UUID) == Accepted(UUID)
    assert of_details(record(error("conflictTaskUUID")), UUID) == Accepted(UUID)
    assert isinstance(of_details(record(error("contentBlocked")), UUID), Failure)
    assert of_details(answer(error("taskNotFound")), UUID) is None
    with pytest.raises(CallFailed):
        of_details(Response(502, {}, b"<html>"), UUID)


def test_only_its_own_envelope_is_the_providers() -> None:
    assert own(answer({"errors": []}))
    assert not own(answer({"data": {}}))
    assert of_read(answer(error("invalidApiKey"), 401), "x").kind is FailureKind.ACCOUNT
    assert of_read(Response(503, {}, b""), "x").kind is FailureKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (error("invalidApiKey"), 400),
        (error("insufficientCredits"), 200),
        (error("concurrencyLimit", status="error"), 400),
        (error("invalidThing"), 500),
        (error("internal", taskUUID=None, status="error"), 200),
        (error("unsupportedTask", taskType="getResponse"), 400),
        (error("missingParameter", taskType="getTaskDetails"), 400),
        ({"errors": [{"status": "error", "cost": 0}]}, 200),
    ],
)
def test_an_error_about_the_look_is_not_the_task_s(document: Any, status: int) -> None:
    """The look bears the task's UUID, too. Taken for the task's own end, a result that is paid for would never
    be collected, or be bought again."""
    assert failure(lambda: of_poll(answer(document, status), UUID)).kind in PASSING


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (error("rateLimitExceeded"), 200),
        (error("invalidApiKey"), 401),
        (error("internalError"), 500),
        (error("somethingNew"), 400),
        ({"data": [{"taskUUID": "another"}]}, 200),
        ({"data": [], "errors": {"a": 1}}, 200),
        ({"data": [], "errors": ["x"]}, 200),
    ],
)
def test_that_there_is_no_record_is_said_and_never_guessed(document: Any, status: int) -> None:
    """Where the name is forgotten by then, only the record keeps a call from being made twice."""
    found = failure(lambda: of_details(answer(document, status), UUID))
    assert found.billed is Billed.NO


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_proxys_page_at_a_free_call_says_nothing_of_the_account(status: int) -> None:
    assert of_read(Response(status, {}, b"<html>"), "polling").kind is FailureKind.UNAVAILABLE
    assert of_read(answer({"errors": []}, status), "polling").kind is FailureKind.ACCOUNT
