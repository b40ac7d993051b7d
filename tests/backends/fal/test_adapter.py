"""The parts together: keys, uploads, what is refused before anything is sent."""

from __future__ import annotations

import gc

import pytest

from relightflow.backends.fal import models
from relightflow.backends.fal.adapter import RING, Fal
from relightflow.backends.fal.hosts import FalHosts
from relightflow.errors import AccountError
from relightflow.model.failure import Billed, FailureKind
from relightflow.testing.backend import backend_context
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.fal.conftest import IMAGE, KEY, ConnectFal, EmulateFal, image


async def test_the_storage_gets_a_token_and_never_the_key(
    connect: ConnectFal, listen: Listen
) -> None:
    keys: list[tuple[str, str]] = []

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
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


async def test_an_upload_is_made_once_and_used_again(
    connect: ConnectFal, emulate: EmulateFal
) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    first = await context.backend.prepare(image(), IMAGE)
    assert await context.backend.prepare(image(), IMAGE) == first
    assert emulator.requests()["phases"]["upload"] == 2, "a token and the bytes, once"


async def test_what_is_no_image_is_refused_before_fal_could_bill_it(
    connect: ConnectFal, listen: Listen
) -> None:
    seen: list[str] = []
    context = await connect(await listen(replying(lambda *_: answer(200), seen)))
    failure = await error(context.backend.prepare(image(b"no image"), b"no image"))
    assert (failure.kind, failure.billed, seen) == (FailureKind.BAD_IMAGE, Billed.NO, [])


async def test_a_call_bears_how_long_it_may_wait(connect: ConnectFal, listen: Listen) -> None:
    heads: list[dict[str, str]] = []

    def choose(_: str, headers: dict[str, str], body: bytes) -> bytes:
        heads.append(headers)
        return answer(200, {"request_id": "0123456789"})

    context = await connect(await listen(replying(choose)), delivery="inline")
    await context.submit()
    assert heads[0]["x-fal-request-timeout"] == "3600"
    assert heads[0]["authorization"] == f"Key {KEY}"


async def test_without_a_key_nothing_begins_and_nothing_stays_open() -> None:
    with pytest.raises(AccountError, match="FAL_KEY"):
        RING.read(print, {})
    made = Fal(backend_context(models.MODELS[0]), lambda _: RING.read(print, {}), FalHosts())
    with pytest.raises(AccountError):
        await made.open()
    gc.collect()  # a session that was left open would say so
