"""Submit, poll, fetch: what each wrong answer means."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Accepted, ResultKnown
from relightflow.model.values import FrozenMap
from tests.backends.conftest import Listen, answer, error, replying, request
from tests.backends.queued import Connect, Emulate

ID = "3f2b8a44-1111-4222-8333-944445555666"


def accepted() -> Accepted:
    return Accepted(ID, FrozenMap({"api": "v2", "submitted": time.time()}))


def scripted(*replies: bytes, seen: list[str] | None = None) -> Any:
    """A server that gives these answers in turn and then the last one for ever."""
    left = list(replies)
    return replying(lambda *_: left.pop(0) if len(left) > 1 else left[0], seen)


def status(word: str, code: int = 200, **more: Any) -> bytes:
    return answer(code, {"status": word, "request_id": ID} | more)


RESULT = {"status": "COMPLETED", "output": "https://images.segmind.com/a.png", "metrics": {}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>ok</html>",
        b"not json",
        b"[]",
        b'{"status": "QUEUED"}',
        b'{"request_id": "../../v1/other"}',
        b'{"request_id": 7}',
    ],
)
async def test_a_200_without_a_usable_id_is_unknown_and_kept(
    connect: Connect, listen: Listen, body: bytes
) -> None:
    context = await connect(await listen(scripted(answer(200, body))), delivery="inline")
    failure = await error(context.submit())
    assert (failure.kind, failure.billed) == (FailureKind.UNKNOWN, Billed.UNKNOWN)
    assert failure.kept == body


async def test_a_200_cut_short_is_unknown(connect: Connect, listen: Listen) -> None:
    cut = answer(200, b'{"request_id"', content_length="500")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(cut)
        await writer.drain()

    context = await connect(await listen(handle), delivery="inline")
    assert (await error(context.submit())).kind is FailureKind.UNKNOWN


async def test_an_answer_to_a_submit_over_its_cap_is_unknown(
    connect: Connect, listen: Listen
) -> None:
    context = await connect(
        await listen(scripted(answer(200, b"{" + b" " * (2 << 20)))), delivery="inline"
    )
    assert (await error(context.submit())).kind is FailureKind.UNKNOWN


async def test_a_redirect_of_a_submit_is_refused_and_the_key_does_not_follow(
    connect: Connect, listen: Listen
) -> None:
    followed: list[str] = []
    elsewhere = await listen(scripted(answer(200, {"request_id": ID}), seen=followed))
    url = await listen(scripted(answer(307, location=elsewhere + "/v2/x")))
    context = await connect(url, delivery="inline")
    assert (await error(context.submit())).kind is FailureKind.REFUSED_SAFETY
    assert followed == []


async def test_urls_are_built_from_the_id_and_those_in_the_answer_are_ignored(
    connect: Connect, listen: Listen
) -> None:
    visited: list[str] = []
    elsewhere = await listen(scripted(status("COMPLETED"), seen=visited))
    taken = {"request_id": ID, "status_url": elsewhere, "response_url": elsewhere}
    url = await listen(scripted(answer(200, taken), status("COMPLETED"), answer(200, RESULT)))
    context = await connect(url, delivery="inline")
    assert isinstance(await context.backend.collect(await context.submit()), ResultKnown)
    assert visited == []


async def test_an_unknown_status_word_is_still_working_and_warned_of_once(
    connect: Connect, listen: Listen
) -> None:
    replies = [status("DREAMING")] * 3 + [status("COMPLETED"), answer(200, RESULT)]
    context = await connect(await listen(scripted(*replies)))
    assert isinstance(await context.backend.collect(accepted()), ResultKnown)
    assert sum("DREAMING" in notice for notice in context.notices) == 1


@pytest.mark.parametrize("code", [200, 422])
async def test_a_failed_job_is_unbilled(connect: Connect, listen: Listen, code: int) -> None:
    context = await connect(await listen(scripted(status("FAILED", code, error="no face \x1b[1m"))))
    failure = await error(context.backend.collect(accepted()))
    assert (failure.kind, failure.billed) == (FailureKind.JOB_FAILED, Billed.NO)
    assert "no face" in failure.message
    assert "\x1b" not in failure.message


@pytest.mark.parametrize(
    "body",
    [{"error": "no face"}, {"status": "FAILED", "request_id": "request-of-another"}, b"<html>"],
)
async def test_a_422_that_is_not_the_documented_answer_leaves_the_job_open(
    connect: Connect, listen: Listen, body: Any
) -> None:
    context = await connect(await listen(scripted(answer(422, body))))
    failure = await error(context.backend.collect(accepted()))
    assert (failure.kind, failure.billed) == (FailureKind.PENDING, Billed.UNKNOWN)


async def test_a_job_failed_when_both_documented_answers_say_so(
    connect: Connect, listen: Listen
) -> None:
    failed = status("FAILED", 422, error="no face")
    failure = await error(
        (await connect(await listen(scripted(failed, failed)))).backend.collect(accepted())
    )
    assert (failure.kind, failure.billed) == (FailureKind.JOB_FAILED, Billed.NO)


async def test_a_failure_that_the_result_takes_back_is_not_believed(
    connect: Connect, listen: Listen
) -> None:
    url = await listen(scripted(status("FAILED", 422, error="no face"), status("PROCESSING")))
    failure = await error((await connect(url)).backend.collect(accepted()))
    assert (failure.kind, failure.billed) == (FailureKind.PENDING, Billed.UNKNOWN)


async def test_a_404_that_is_not_the_gateways_is_asked_again(
    connect: Connect, listen: Listen
) -> None:
    url = await listen(scripted(answer(404, b"<html>not found</html>")))
    failure = await error((await connect(url)).backend.collect(accepted()))
    assert (failure.kind, failure.billed) == (FailureKind.PENDING, Billed.UNKNOWN)


async def test_a_job_that_fails_between_status_and_result_is_unbilled(
    connect: Connect, listen: Listen
) -> None:
    url = await listen(scripted(status("COMPLETED"), status("FAILED", 422, error="late")))
    assert (
        await error((await connect(url)).backend.collect(accepted()))
    ).kind is FailureKind.JOB_FAILED


async def test_a_result_that_is_not_ready_after_all_is_asked_for_again(
    connect: Connect, listen: Listen
) -> None:
    replies = [status("COMPLETED"), status("PROCESSING"), status("COMPLETED"), answer(200, RESULT)]
    context = await connect(await listen(scripted(*replies)))
    assert isinstance(await context.backend.collect(accepted()), ResultKnown)


@pytest.mark.parametrize("code", [500, 502, 503, 504])
async def test_trouble_while_polling_leaves_the_job_open(
    connect: Connect, listen: Listen, code: int
) -> None:
    context = await connect(await listen(scripted(answer(code, b"<html>down</html>"))))
    failure = await error(context.backend.collect(accepted()))
    assert (failure.kind, failure.billed) == (FailureKind.PENDING, Billed.UNKNOWN)
    assert failure.request_id == ID


async def test_a_connection_that_breaks_while_polling_leaves_the_job_open(
    connect: Connect, listen: Listen
) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)

    context = await connect(await listen(handle))
    assert (await error(context.backend.collect(accepted()))).kind is FailureKind.PENDING


async def test_a_429_while_polling_is_the_gates(connect: Connect, listen: Listen) -> None:
    limited = answer(429, {"error": "slow down"}, x_rate_limit_reset_at_utc="4102444800")
    context = await connect(await listen(scripted(limited)))
    failure = await error(context.backend.collect(accepted()))
    assert failure.kind is FailureKind.RATE_LIMITED
    assert failure.retry_after is None  # no Date, and a poll has no clock to trust


async def test_a_404_is_asked_once_and_left_to_the_engine(connect: Connect, listen: Listen) -> None:
    seen: list[str] = []
    context = await connect(await listen(scripted(answer(404, {"error": "no"}), seen=seen)))
    failure = await error(context.backend.collect(accepted()))
    assert (failure.kind, failure.billed) == (FailureKind.EXPIRED, Billed.UNKNOWN)
    assert len([line for line in seen if "/v2/requests/" in line]) == 1


async def test_an_expired_record_is_found_in_the_history(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate(record_life=0.0)
    context = await connect(emulator.url)
    known = await context.backend.collect(await context.submit())
    assert isinstance(known, ResultKnown)
    assert known.cost == 50_000
    assert (await context.finish(known)).data


async def test_a_completed_job_without_an_image_was_paid(connect: Connect, listen: Listen) -> None:
    empty = {"status": "COMPLETED", "output": None, "metrics": {"cost": 0.05}}
    context = await connect(await listen(scripted(status("COMPLETED"), answer(200, empty))))
    failure = await error(context.backend.collect(accepted()))
    assert (failure.kind, failure.billed, failure.cost) == (
        FailureKind.PENDING,
        Billed.YES,
        50_000,
    )
    assert failure.kept


@pytest.mark.parametrize(
    ("cost", "known"), [(0.08, 80_000), (None, None), ("NaN", None), (-1, None)]
)
async def test_the_real_cost_is_passed_on_and_an_odd_one_is_unknown(
    connect: Connect, listen: Listen, cost: Any, known: int | None
) -> None:
    result = RESULT | {"metrics": {"cost": cost}}
    context = await connect(await listen(scripted(status("COMPLETED"), answer(200, result))))
    step = await context.backend.collect(accepted())
    assert isinstance(step, ResultKnown)
    assert step.cost == known


async def test_an_id_that_could_leave_its_place_is_never_put_into_a_url(
    connect: Connect, listen: Listen
) -> None:
    seen: list[str] = []
    context = await connect(await listen(scripted(answer(404), seen=seen)))
    failure = await error(context.backend.collect(Accepted("../../v1/get-user-credits")))
    assert failure.kind is FailureKind.EXPIRED
    assert seen == []


async def test_a_key_that_is_refused_while_polling_leaves_the_job_open(
    connect: Connect, listen: Listen
) -> None:
    context = await connect(await listen(scripted(answer(401, {"error": "invalid"}))))
    failure = await error(context.backend.collect(accepted()))
    assert (failure.kind, failure.billed) == (FailureKind.ACCOUNT, Billed.UNKNOWN)
