"""Submit and poll: what is sent, what is believed, and what is lost for certain."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relightflow.backends.replicate.models import TABLE
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import EXPIRES, Accepted, ResultKnown
from relightflow.model.values import FrozenMap
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect

ID = "gm3qorzdhgbfurvjtvhg6dckhu"
STEP = Accepted(ID, FrozenMap({"model": "zsxkib/ic-light", "submitted": 1e9}))
DONE = {"id": ID, "status": "succeeded", "output": ["https://replicate.delivery/a.webp"]}
GONE = {"id": ID, "status": "succeeded", "output": None, "data_removed": True}
K = FailureKind


def script(*rows: dict[str, Any]) -> Any:
    """A server that answers each look with the next of these, and the last again and again."""
    left = list(rows)

    def choose(first: str, *_: object) -> bytes:
        if "/v1/account" in first:
            return answer(200, {"type": "user"})
        return answer(200, left.pop(0) if len(left) > 1 else left[0])

    return replying(choose)


async def test_a_pinned_model_is_called_by_its_version_and_has_a_deadline(
    connect: Connect, listen: Listen
) -> None:
    sent: list[Any] = []

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        if first.startswith("POST"):
            sent.append((first.split()[1], headers.get("cancel-after"), json.loads(body)))
        return answer(201, {"id": ID, "status": "starting"})

    context = await connect(await listen(replying(choose)), delivery="inline")
    step = await context.submit(light_source="Left Light")
    assert isinstance(step, Accepted)
    assert step.details[EXPIRES] - step.details["submitted"] == 3600
    await context.submit(1, "qwen-edit-apps/qwen-image-edit-plus-lora-relight")
    pinned, official = sent
    assert pinned[:2] == ("/v1/predictions", "5m")
    assert pinned[2]["version"] == TABLE[0].version
    assert pinned[2]["input"]["light_source"] == "Left Light"
    assert pinned[2]["input"]["subject_image"].startswith("data:image/jpeg;base64,")
    place = "/v1/models/qwen-edit-apps/qwen-image-edit-plus-lora-relight/predictions"
    assert (official[0], set(official[2])) == (place, {"input"})


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"id": null}', b'{"id": "../x"}', b'{"request_id": "gm3qorzdhgbfu"}'],
)
@pytest.mark.parametrize("status", [200, 201, 202])
async def test_an_acceptance_without_an_id_is_unknown(
    connect: Connect, listen: Listen, status: int, body: bytes
) -> None:
    def choose(first: str, *_: object) -> bytes:
        return answer(status, body) if first.startswith("POST") else answer(200, {})

    context = await connect(await listen(replying(choose)), delivery="inline")
    failure = await error(context.submit())
    assert (failure.kind, failure.billed) == (K.UNKNOWN, Billed.UNKNOWN)


@pytest.mark.parametrize("word", ["starting", "processing", "queued", "booting", "thinking"])
async def test_any_word_that_is_no_end_is_waited_for(
    connect: Connect, listen: Listen, word: str
) -> None:
    context = await connect(await listen(script({"id": ID, "status": word}, DONE)))
    found = await context.backend.collect(STEP)
    assert isinstance(found, ResultKnown)
    assert [w for w in context.notices if word in w] == (
        [] if word != "thinking" else context.notices[-1:]
    )


async def test_a_failure_that_is_taken_back_is_none(connect: Connect, listen: Listen) -> None:
    failed = {"id": ID, "status": "failed", "error": "oops"}
    context = await connect(await listen(script(failed, DONE)))
    assert isinstance(await context.backend.collect(STEP), ResultKnown)
    context = await connect(await listen(script(failed, failed)))
    failure = await error(context.backend.collect(STEP))
    assert (failure.kind, failure.billed) == (K.JOB_FAILED, Billed.YES)


async def test_a_result_is_lost_only_where_replicate_says_that_it_deleted_it(
    connect: Connect, listen: Listen
) -> None:
    context = await connect(await listen(script(GONE)))
    failure = await error(context.backend.collect(STEP))
    assert (failure.kind, failure.billed) == (K.BAD_RESULT, Billed.YES)
    assert "is lost" in failure.message
    not_yet = {"id": ID, "status": "succeeded", "output": None}
    context = await connect(await listen(script(not_yet)))
    failure = await error(context.backend.collect(STEP))
    assert (failure.kind, failure.billed) == (K.PENDING, Billed.YES)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"title": "T", "detail": "not found", "status": 404}, K.EXPIRED),
        (404, {"error": "no route"}, K.PENDING),
        (404, b"<html>", K.PENDING),
        (200, b"<html>", K.PENDING),
        (200, {"id": "another-one-entirely", "status": "succeeded"}, K.PENDING),
        (200, {"id": ID, "status": 3}, K.PENDING),
        (500, {"detail": "oops"}, K.PENDING),
        (401, {"detail": "no key"}, K.ACCOUNT),
        (303, b"", K.REFUSED_SAFETY),
    ],
)
async def test_a_look_that_says_nothing_leaves_the_call_open(
    connect: Connect, listen: Listen, status: int, body: Any, kind: FailureKind
) -> None:
    def choose(first: str, *_: object) -> bytes:
        return answer(200, {}) if "account" in first else answer(status, body)

    context = await connect(await listen(replying(choose)))
    failure = await error(context.backend.collect(STEP))
    assert (failure.kind, failure.billed) == (kind, Billed.UNKNOWN)
    assert failure.request_id == ID
