"""Submit, poll, result: what is believed, and how often it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.fal.queue import cost_of, image_url
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Accepted
from relightflow.model.values import FrozenMap
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect, Emulate

ID = "3f2b8a44-1111-4222-8333-944445555666"
STEP = FrozenMap({"model": "bria/fibo-edit/relight", "submitted": 1e9})


async def test_a_call_is_submitted_polled_and_fetched(connect: Connect, emulate: Emulate) -> None:
    emulator = await emulate()
    context = await connect(emulator.url, delivery="inline")
    step = await context.submit(light_type="midday")
    assert isinstance(step, Accepted)
    done = await context.finish(step)
    assert done.request_id == step.request_id
    (row,) = emulator.bill()["requests"]
    assert row["parameters"] == {"light_direction": "front", "light_type": "midday"}


async def test_a_model_charged_by_size_tells_its_cost(connect: Connect, emulate: Emulate) -> None:
    emulator = await emulate()
    context = await connect(emulator.url, delivery="inline")
    done = await context.finish(await context.submit(0, "fal-ai/iclight-v2", prompt="dusk"))
    assert done.cost == 100_000


def scripted(status: dict[str, Any], code: int, result: dict[str, Any], **head: str) -> Any:
    """A server whose status and result are these."""

    def choose(first: str, *_: object) -> bytes:
        if "/status" in first:
            return answer(200, status)
        return answer(code, result, **head)

    return replying(choose)


@pytest.mark.parametrize("facts", [{}, {"error": "broken"}], ids=["", "the status says so"])
async def test_a_number_without_fals_header_is_looked_up_after_the_third_time(
    connect: Connect, listen: Listen, facts: dict[str, str]
) -> None:
    """A gateway's 502 in place of a 422, which may be billed, would free the call."""
    seen: list[str] = []

    def choose(first: str, *_: object) -> bytes:
        if "/status" in first:
            return answer(200, {"status": "COMPLETED", "request_id": ID, **facts})
        return answer(502, {"detail": "bad gateway"})

    context = await connect(await listen(replying(choose, seen)))
    failure = await error(context.backend.collect(Accepted(ID, STEP)))
    assert (failure.kind, failure.billed) == (FailureKind.JOB_FAILED, Billed.UNKNOWN)
    assert "not billed" not in failure.message
    looks = [first for first in seen if "/requests/" in first]
    assert sum("/status" not in first for first in looks) == 3


async def test_a_failure_with_fals_header_is_unbilled_at_once(
    connect: Connect, listen: Listen
) -> None:
    head = {"x_fal_error_type": "internal"}
    status = {"status": "COMPLETED"}
    url = await listen(scripted(status, 500, {"detail": "out of memory"}, **head))
    context = await connect(url)
    failure = await error(context.backend.collect(Accepted(ID, STEP)))
    assert (failure.kind, failure.billed) == (FailureKind.JOB_FAILED, Billed.NO)


@pytest.mark.parametrize("head", [{}, {"x_fal_error_type": "content_policy"}])
async def test_a_refusal_that_the_status_or_a_header_confirms_is_believed_at_once(
    connect: Connect, listen: Listen, head: dict[str, str]
) -> None:
    status = {"status": "COMPLETED"} | ({} if head else {"error": "refused"})
    url = await listen(scripted(status, 422, {"detail": "unsafe"}, **head))
    context = await connect(url)
    failure = await error(context.backend.collect(Accepted(ID, STEP)))
    assert (failure.kind, failure.billed) == (FailureKind.JOB_FAILED, Billed.UNKNOWN)


async def test_an_answer_about_another_request_is_not_believed(
    connect: Connect, listen: Listen
) -> None:
    url = await listen(scripted({"status": "COMPLETED", "request_id": "other-request"}, 500, {}))
    context = await connect(url)
    failure = await error(context.backend.collect(Accepted(ID, STEP)))
    assert (failure.kind, failure.billed) == (FailureKind.PENDING, Billed.UNKNOWN)


async def test_a_result_without_an_image_is_paid_and_asked_for_again(
    connect: Connect, listen: Listen
) -> None:
    url = await listen(scripted({"status": "COMPLETED"}, 200, {"images": []}))
    context = await connect(url)
    failure = await error(context.backend.collect(Accepted(ID, STEP)))
    assert (failure.kind, failure.billed) == (FailureKind.PENDING, Billed.YES)


@pytest.mark.parametrize("request_id", ["../../etc/passwd", "", "a" * 200])
async def test_an_id_that_could_change_a_url_is_never_sent(
    connect: Connect, listen: Listen, request_id: str
) -> None:
    seen: list[str] = []
    context = await connect(await listen(replying(lambda *_: answer(200), seen)))
    seen.clear()  # the time was asked for
    failure = await error(context.backend.collect(Accepted(request_id, STEP)))
    assert (failure.kind, seen) == (FailureKind.EXPIRED, [])


@pytest.mark.parametrize(
    "found",
    [
        {"images": [{"url": "https://v3.fal.media/a.png"}]},
        {"image": {"url": "https://v3.fal.media/a.png"}},
        {"images": ["https://v3.fal.media/a.png"]},
        {"images": [], "image": {"url": "https://v3.fal.media/a.png"}},
    ],
)
def test_the_image_is_found_in_every_known_shape(found: dict[str, Any]) -> None:
    assert image_url(found) == "https://v3.fal.media/a.png"


@pytest.mark.parametrize("found", [{}, {"images": [{"url": 5}]}, {"image": "ftp://a"}])
def test_nothing_is_found_where_nothing_is(found: dict[str, Any]) -> None:
    assert image_url(found) == ""


def test_units_are_money_only_where_a_model_is_charged_by_size() -> None:
    assert cost_of("fal-ai/iclight-v2", "1.5") == 150_000
    assert cost_of("fal-ai/iclight-v2", "NaN") is None
    assert cost_of("bria/fibo-edit/relight", "1") is None
    assert cost_of("fal-ai/iclight-v2", None) is None
