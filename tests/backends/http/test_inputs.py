"""How an image travels: once by upload, inside the request, or by its public URL."""

from __future__ import annotations

import base64
import hashlib

import pytest

from relightflow.backends.http.inputs import PreparedInput
from relightflow.model.failure import Billed, FailureKind
from relightflow.testing.backend import InMemoryNotes
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect, Emulate
from tests.backends.segmind.conftest import IMAGE, image


async def test_the_bytes_sent_are_the_bytes_hashed(connect: Connect) -> None:
    context = await connect("http://127.0.0.1:9", delivery="inline")
    given: PreparedInput = await context.backend.prepare(image(), IMAGE)
    head, data = given.value.split(",", 1)
    assert head == "data:image/jpeg;base64"
    assert hashlib.sha256(base64.b64decode(data)).hexdigest() == image().sha256


async def test_a_large_image_is_the_same(connect: Connect) -> None:
    large = IMAGE + bytes(1 << 20)
    context = await connect("http://127.0.0.1:9", delivery="inline")
    given: PreparedInput = await context.backend.prepare(image(large), large)
    assert base64.b64decode(given.value.split(",", 1)[1]) == large


async def test_each_content_is_uploaded_once_across_runs(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate()
    notes = InMemoryNotes()
    values = []
    for _ in range(3):
        context = await connect(emulator.url, memory=notes)
        values.append((await context.backend.prepare(image(), IMAGE)).value)
    assert len(set(values)) == 1
    assert emulator.requests()["phases"]["upload"] == 1


async def test_an_upload_that_is_no_longer_served_is_made_again(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate(asset_life=0.0)
    notes = InMemoryNotes()
    first = await (await connect(emulator.url, memory=notes)).backend.prepare(image(), IMAGE)
    second = await (await connect(emulator.url, memory=notes)).backend.prepare(image(), IMAGE)
    assert first.value != second.value


async def test_an_address_of_a_rehearsal_is_not_used_elsewhere(
    connect: Connect, emulate: Emulate
) -> None:
    notes = InMemoryNotes()
    for emulator in (await emulate(), await emulate()):
        context = await connect(emulator.url, memory=notes)
        given = await context.backend.prepare(image(), IMAGE)
        assert given.value.startswith(emulator.url)


async def test_the_user_is_told_once_that_an_upload_cannot_be_revoked(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url)
    for shade in range(3):
        data = IMAGE + bytes([shade])
        await context.backend.prepare(image(data), data)
    assert sum("public address" in words for words in context.notices) == 1


async def test_an_image_says_how_it_wants_to_travel(connect: Connect) -> None:
    context = await connect("http://127.0.0.1:9", delivery="upload")
    own = image(delivery="url", url="https://example.com/a.jpg?sig=1")
    given = await context.backend.prepare(own, IMAGE)
    assert given.value == "https://example.com/a.jpg?sig=1"


@pytest.mark.parametrize("url", ["", "http://example.com/a", "https://10.0.0.1/a", "/a"])
async def test_an_image_without_a_public_url_cannot_go_by_it(connect: Connect, url: str) -> None:
    context = await connect("http://127.0.0.1:9", delivery="url")
    failure = await error(context.backend.prepare(image(url=url), IMAGE))
    assert (failure.kind, failure.billed) == (FailureKind.BAD_IMAGE, Billed.NO)


@pytest.mark.parametrize("key", ["file_urls", "urls"])
async def test_both_spellings_of_the_answer_are_read(
    connect: Connect, emulate: Emulate, key: str
) -> None:
    context = await connect((await emulate(upload_key=key)).url)
    assert (await context.backend.prepare(image(), IMAGE)).value


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(200, {"file_urls": []}), FailureKind.UNAVAILABLE),
        (answer(200, b"<html>"), FailureKind.UNAVAILABLE),
        (answer(200, {"urls": ["http://evil.example/a"]}), FailureKind.REFUSED_SAFETY),
        (answer(200, {"urls": ["https://10.0.0.1/a"]}), FailureKind.REFUSED_SAFETY),
        (answer(401, {"error": "Unauthorized"}), FailureKind.ACCOUNT),
        (answer(406, {"error": "Insufficient credits"}), FailureKind.ACCOUNT),
        (answer(400, {"error": "no such type"}), FailureKind.BAD_IMAGE),
        (answer(413, b"<html>"), FailureKind.BAD_IMAGE),
        (answer(404, b""), FailureKind.UNAVAILABLE),
        (answer(429, {"error": "slow"}), FailureKind.RATE_LIMITED),
        (answer(500, {"error": "oh"}), FailureKind.UNAVAILABLE),
        (answer(504, b"<html>"), FailureKind.UNAVAILABLE),
        (answer(302, location="https://example.com/"), FailureKind.REFUSED_SAFETY),
    ],
)
async def test_a_refused_upload_is_never_billed(
    connect: Connect, listen: Listen, reply: bytes, kind: FailureKind
) -> None:
    context = await connect(await listen(replying(lambda *_: reply)))
    failure = await error(context.backend.prepare(image(), IMAGE))
    assert (failure.kind, failure.billed) == (kind, Billed.NO)


async def test_an_upload_that_the_model_cannot_read_is_forgotten(
    connect: Connect, listen: Listen
) -> None:
    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        if "upload-asset" in first:
            return answer(200, {"file_urls": [f"{url}/assets/a.jpg"]})
        return answer(400, {"error": "Unable to fetch the input image"})

    url = await listen(replying(choose))
    context = await connect(url)
    assert (await error(context.submit())).kind is FailureKind.BAD_IMAGE
    assert context.memory.kept == {}


async def test_the_ledger_gets_a_digest_and_no_address(connect: Connect, emulate: Emulate) -> None:
    context = await connect((await emulate()).url)
    call = await context.call()
    details = context.backend.intent_details(call)
    assert details["image_digest"] == hashlib.sha256(call.prepared.value.encode()).hexdigest()
    assert "http" not in str(details)
