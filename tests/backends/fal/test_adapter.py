"""The parts together: keys, uploads, what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import gc
import pickle
from collections.abc import Callable
from dataclasses import replace

import pytest

from relightflow.backends.fal import models
from relightflow.backends.fal.adapter import Fal
from relightflow.backends.fal.hosts import FalHosts
from relightflow.errors import AccountError
from relightflow.model.failure import Billed, FailureKind
from relightflow.plugins.executor import TaskRefused
from relightflow.testing.backend import backend_context
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.fal.conftest import IMAGE, KEY, image
from tests.backends.queued import Connect, Emulate


async def test_the_storage_gets_a_token_and_never_the_key(connect: Connect, listen: Listen) -> None:
    keys: list[tuple[str, str]] = []

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        if first.startswith("GET / "):  # for the time
            return answer(404, {})
        keys.append((first.split("?")[0].split()[1], headers.get("authorization", "")))
        if "/token" in first:
            return answer(200, {"token": "short-lived", "token_type": "Bearer"})
        assert body == IMAGE
        return answer(200, {"access_url": "https://v3.fal.media/files/a.jpg"})

    context = await connect(await listen(replying(choose)))
    given = await context.backend.prepare(image(), IMAGE)
    assert given.value == "https://v3.fal.media/files/a.jpg"
    assert keys == [
        ("/storage/auth/token", f"Key {KEY}"),
        ("/files/upload", "Bearer short-lived"),
    ]


async def test_whoever_uploads_apart_gets_the_url_of_one_file_and_no_key(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    sent: list[bytes] = []

    async def send(upload: Callable[[bytes], None]) -> None:
        sent.append(pickle.dumps(upload))
        for _ in range(2):  # a task may be done twice
            await asyncio.to_thread(pickle.loads(sent[0]), IMAGE)

    given = await context.backend.prepare_apart(image(), send)
    assert given is not None
    assert KEY.encode() not in sent[0]
    step = await context.backend.submit(replace(await context.call(), prepared=given))
    assert (await context.finish(step)).data
    assert await context.backend.prepare_apart(image(), send) == given, "as after an upload of ours"
    assert await context.backend.prepare(image(), IMAGE) == given
    assert len(sent) == 1


async def test_what_is_not_uploaded_is_not_prepared_apart(
    connect: Connect, emulate: Emulate
) -> None:
    async def send(_: Callable[[bytes], None]) -> None:
        raise AssertionError("nothing is uploaded")

    context = await connect((await emulate()).url, delivery="inline")
    assert await context.backend.prepare_apart(image(), send) is None


async def test_an_upload_that_fal_does_not_have_is_made_here(
    connect: Connect, emulate: Emulate
) -> None:
    async def send(_: Callable[[bytes], None]) -> None:
        """A worker that only says so."""

    context = await connect((await emulate()).url)
    with pytest.raises(TaskRefused, match="fal does not have what a worker uploaded"):
        await context.backend.prepare_apart(image(), send)


async def test_a_place_to_upload_to_that_is_not_public_is_refused(
    connect: Connect, listen: Listen
) -> None:
    async def send(_: Callable[[bytes], None]) -> None:
        raise AssertionError("it was uploaded")

    places = {"upload_url": "https://10.0.0.1/put", "file_url": "https://v3.fal.media/files/a.jpg"}
    context = await connect(await listen(replying(lambda *_: answer(200, places))))
    failure = await error(context.backend.prepare_apart(image(), send))
    assert (failure.kind, failure.billed) == (FailureKind.REFUSED_SAFETY, Billed.NO)


async def test_an_upload_is_made_once_and_used_again(connect: Connect, emulate: Emulate) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    first = await context.backend.prepare(image(), IMAGE)
    assert await context.backend.prepare(image(), IMAGE) == first
    assert emulator.requests()["phases"]["upload"] == 2, "a token and the bytes, once"


async def test_what_is_no_image_is_refused_before_fal_could_bill_it(
    connect: Connect, listen: Listen
) -> None:
    seen: list[str] = []
    context = await connect(await listen(replying(lambda *_: answer(200), seen)))
    seen.clear()  # the time was asked for
    failure = await error(context.backend.prepare(image(b"no image"), b"no image"))
    assert (failure.kind, failure.billed, seen) == (FailureKind.BAD_IMAGE, Billed.NO, [])


async def test_a_call_bears_how_long_it_may_wait(connect: Connect, listen: Listen) -> None:
    heads: list[dict[str, str]] = []

    def choose(_: str, headers: dict[str, str], body: bytes) -> bytes:
        heads.append(headers)
        return answer(200, {"request_id": "0123456789"})

    context = await connect(await listen(replying(choose)), delivery="inline")
    await context.submit()
    assert heads[-1]["x-fal-request-timeout"] == "3600"
    assert heads[-1]["authorization"] == f"Key {KEY}"


async def test_without_a_key_nothing_begins_and_nothing_stays_open() -> None:
    with pytest.raises(AccountError, match="FAL_KEY"):
        Fal._ring.read(print, {})
    made = Fal(backend_context(models.MODELS[0]), lambda _: Fal._ring.read(print, {}), FalHosts())
    with pytest.raises(AccountError):
        await made.open()
    gc.collect()  # a session that was left open would say so


async def test_even_the_first_call_of_a_run_is_dated(connect: Connect, emulate: Emulate) -> None:
    """Its image may be uploaded already; without the provider's time its absence is never proven."""
    context = await connect((await emulate()).url)
    assert context.backend.server_time() is not None
