"""The blocking protocol: an answer that has begun is paid, whatever comes of it."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import zlib

import pytest

from relightflow.backends.http import sessions
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Completed, PaidUnfetched, ResultKnown
from tests.backends.conftest import Listen, answer, error, replying, request
from tests.backends.queued import Connect, QueueConnection
from tests.backends.segmind.conftest import IMAGE

ID = "3f2b8a44-1111-4222-8333-944445555666"


async def v1(connect: Connect, listen: Listen, reply: bytes) -> QueueConnection:
    """A bench whose billable calls get `reply` and whose history is empty."""

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        return reply if first.startswith("POST /v1/") else answer(404, {"error": "none"})

    return await connect(await listen(replying(choose)), api="v1", delivery="inline")


def paid(body: bytes, kind: str = "image/jpeg", **more: str) -> bytes:
    headers = {"content_type": kind, "x_request_id": ID, "x_cost": "0.05"} | more
    return answer(200, body, **headers)


@pytest.mark.parametrize(
    "body",
    [
        {"image": base64.b64encode(IMAGE).decode()},
        {"image": "data:image/jpeg;base64," + base64.b64encode(IMAGE).decode()},
    ],
)
async def test_an_image_inside_json_is_the_image(
    connect: Connect, listen: Listen, body: dict[str, str]
) -> None:
    context = await v1(connect, listen, paid(json.dumps(body).encode(), "application/json"))
    assert (await context.run()).data == IMAGE


async def test_the_content_type_does_not_decide_what_the_bytes_are(
    connect: Connect, listen: Listen
) -> None:
    context = await v1(connect, listen, paid(IMAGE, "application/octet-stream"))
    assert (await context.run()).data == IMAGE


async def test_a_url_inside_json_is_a_known_result_first(connect: Connect, listen: Listen) -> None:
    body = json.dumps({"output": "https://images.segmind.com/a.png"}).encode()
    context = await v1(connect, listen, paid(body, "application/json"))
    known = await context.backend.collect(await context.submit())
    assert isinstance(known, ResultKnown)
    assert (known.request_id, known.cost) == (ID, 50_000)


@pytest.mark.parametrize(
    "body", [b"", b"<html>busy</html>", b"GIF89a", b"{}", b'{"image": "!"}', b"\x00\xff\x00"]
)
async def test_a_200_that_is_not_an_image_is_paid_failed_and_kept(
    connect: Connect, listen: Listen, body: bytes
) -> None:
    context = await v1(connect, listen, paid(body, "text/html"))
    failure = await error(context.run())
    assert (failure.kind, failure.billed) == (FailureKind.BAD_RESULT, Billed.YES)
    assert (failure.kept, failure.cost, failure.request_id) == (body, 50_000, ID)


async def test_a_200_cut_short_is_paid_and_unknown(connect: Connect, listen: Listen) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, _, _ = await request(reader)
        post = first.startswith("POST")
        writer.write(
            paid(IMAGE[:50], content_length="5000") if post else answer(404, {"error": "none"})
        )
        await writer.drain()

    context = await connect(await listen(handle), api="v1", delivery="inline")
    step = await context.submit()
    assert isinstance(step, PaidUnfetched)
    assert (step.request_id, step.cost) == (ID, 50_000)
    failure = await error(context.backend.collect(step))
    assert (failure.kind, failure.billed, failure.cost) == (FailureKind.UNKNOWN, Billed.YES, 50_000)


async def test_an_image_that_ends_too_early_is_in_doubt_even_where_no_length_was_sent(
    connect: Connect, listen: Listen
) -> None:
    """The history may have it whole, now or by the next run."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, _, _ = await request(reader)
        whole = paid(IMAGE[:-9]) if first.startswith("POST") else answer(404, {"error": "none"})
        head, _, body = whole.partition(b"\r\n\r\n")
        kept = [line for line in head.split(b"\r\n") if b"content-length" not in line]
        writer.write(b"\r\n".join(kept) + b"\r\n\r\n" + body)
        await writer.drain()

    context = await connect(await listen(handle), api="v1", delivery="inline")
    failure = await error(context.run())
    assert (failure.kind, failure.billed, failure.cost) == (FailureKind.UNKNOWN, Billed.YES, 50_000)
    assert (failure.kept, failure.request_id) == (IMAGE[:-9], ID)


async def test_a_body_in_broken_chunks_is_paid_and_unknown(
    connect: Connect, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relightflow.backends.segmind.v1.BODY_SECONDS", 0.2)
    head_was_read = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, _, _ = await request(reader)
        if not first.startswith("POST"):
            writer.write(answer(404, {"error": "none"}))
            return
        writer.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nx-cost: 0.05\r\n\r\n")
        await head_was_read.wait()
        writer.write(b"5\r\nabcde\r\nZZZ\r\n")
        await reader.read()

    context = await connect(await listen(handle), api="v1", delivery="inline")
    step = await context.submit()
    head_was_read.set()
    failure = await error(context.backend.collect(step))
    assert (failure.kind, failure.billed, failure.cost) == (FailureKind.UNKNOWN, Billed.YES, 50_000)


@pytest.mark.parametrize("cost", ["NaN", "-1", "", "free", "inf"])
async def test_an_odd_cost_is_unknown(connect: Connect, listen: Listen, cost: str) -> None:
    context = await v1(connect, listen, paid(IMAGE, x_cost=cost))
    assert (await context.run()).cost is None


async def test_an_odd_request_id_is_none(connect: Connect, listen: Listen) -> None:
    context = await v1(connect, listen, paid(IMAGE, x_request_id="../../x"))
    assert (await context.run()).request_id == ""


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
async def test_a_packed_answer_is_unpacked(connect: Connect, listen: Listen, pack: object) -> None:
    assert callable(pack)
    context = await v1(connect, listen, paid(pack(IMAGE), content_encoding="gzip"))
    assert (await context.run()).data == IMAGE


async def test_a_compressed_bomb_is_not_unpacked(
    connect: Connect, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "IMAGE_CAP", 1 << 20)
    bomb = gzip.compress(bytes(50 << 20))
    context = await v1(connect, listen, paid(bomb, content_encoding="gzip"))
    failure = await error(context.run())
    assert (failure.kind, failure.billed, failure.kept) == (FailureKind.TOO_LARGE, Billed.YES, b"")


async def test_a_packed_answer_that_ends_too_early_is_paid_and_bad(
    connect: Connect, listen: Listen
) -> None:
    half = gzip.compress(IMAGE)[:-100]
    context = await v1(connect, listen, paid(half, content_encoding="gzip"))
    assert (await error(context.run())).kind is FailureKind.BAD_RESULT


async def test_what_the_history_calls_failed_is_not_waited_for(
    connect: Connect, listen: Listen
) -> None:
    row = {"request_id": ID, "model_status": "FAILED", "error": "no face"}
    context = await connect(await listen(replying(lambda *_: answer(200, row))), api="v1")
    failure = await error(context.backend.collect(PaidUnfetched(ID)))
    assert (failure.kind, failure.billed) == (FailureKind.JOB_FAILED, Billed.NO)


async def test_a_row_of_another_request_is_not_ours(connect: Connect, listen: Listen) -> None:
    row = {"request_id": "request-0001", "model_status": "COMPLETED", "generation_url": "https://x"}
    context = await connect(await listen(replying(lambda *_: answer(200, row))), api="v1")
    assert (await error(context.backend.collect(PaidUnfetched(ID)))).kind is FailureKind.UNKNOWN


async def test_an_answer_over_its_cap_is_refused_while_it_is_read(
    connect: Connect, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "IMAGE_CAP", 1000)
    context = await v1(connect, listen, paid(IMAGE + bytes(5000)))
    assert (await error(context.run())).kind is FailureKind.TOO_LARGE


@pytest.mark.parametrize("packing", ["br", "zstd", "br, gzip"])
async def test_a_packing_that_was_not_asked_for_is_paid_and_bad(
    connect: Connect, listen: Listen, packing: str
) -> None:
    context = await v1(connect, listen, paid(IMAGE, content_encoding=packing))
    failure = await error(context.run())
    assert (failure.kind, failure.billed) == (FailureKind.BAD_RESULT, Billed.YES)


async def test_a_slow_drip_meets_a_total_deadline(
    connect: Connect, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relightflow.backends.segmind.v1.BODY_SECONDS", 0.05)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, _, _ = await request(reader)
        if not first.startswith("POST"):
            writer.write(answer(404, {"error": "none"}))
            return
        writer.write(paid(IMAGE[:3], content_length="5000"))
        await writer.drain()
        await reader.read()  # the rest never comes

    context = await connect(await listen(handle), api="v1", delivery="inline")
    failure = await error(context.run())
    assert (failure.kind, failure.billed) == (FailureKind.UNKNOWN, Billed.YES)
    assert "timed out" in failure.message


async def test_an_answer_that_never_comes_is_an_unknown_outcome(
    connect: Connect, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relightflow.backends.segmind.v1.SHORTEST_SECONDS", 0.05)
    monkeypatch.setattr("relightflow.backends.segmind.v1.FACTOR", 0.0)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        await reader.read()

    context = await connect(await listen(handle), api="v1", delivery="inline")
    failure = await error(context.run())
    assert (failure.kind, failure.billed) == (FailureKind.UNKNOWN, Billed.UNKNOWN)


async def test_a_finished_body_gives_its_connection_back(connect: Connect, listen: Listen) -> None:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await request(reader)
            writer.write(paid(IMAGE))
            await writer.drain()

    context = await connect(await listen(handle), api="v1", delivery="inline")
    for number in range(3):
        assert isinstance(await context.run(number), Completed)
    assert connections == 1
