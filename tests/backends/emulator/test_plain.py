"""The base of the emulators spoils what it is asked to, and bills what was taken."""

from __future__ import annotations

import io
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from relightflow.backends.emulator.plain import (
    BilledCall,
    EmulatedAnswer,
    Emulator,
    Spoil,
    image_in,
)


class _Echo(Emulator):
    def phase(self, request: web.BaseRequest, body: bytes) -> str:
        return request.path.strip("/")

    async def answer(self, request: web.BaseRequest, body: bytes) -> EmulatedAnswer:
        self.bill.append(BilledCall(str(len(self.bill)), "m", {}, body))
        return EmulatedAnswer.of({"took": len(body)}, 200, X_Told="yes")


async def _said(url: str, body: bytes = b"x", **headers: str) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=io.BytesIO(body), headers=headers) as got,
    ):
        return got.status, await got.read()


@pytest.mark.parametrize(
    ("fault", "status", "taken"),
    [
        (Spoil("call", "instead", status=503), 503, 0),
        (Spoil("call", "behind", status=502), 502, 1),
        (Spoil("call", "change", change=lambda a: {**a, "more": 1}), 200, 1),
        (Spoil("other", "lost"), 200, 1),
        (Spoil("call", "instead", after=1), 200, 1),
    ],
)
async def test_an_answer_is_spoilt_before_or_after_the_call_was_taken(
    fault: Spoil, status: int, taken: int
) -> None:
    async with _Echo("k").running() as emulator:
        emulator.faults = [fault]
        assert (await _said(f"{emulator.url}/call"))[0] == status
        assert len(emulator.bill) == taken


@pytest.mark.parametrize(("how", "taken"), [("unread", 0), ("lost", 1), ("cut", 1)])
async def test_a_connection_ends_before_or_after_the_call_was_taken(how: Any, taken: int) -> None:
    async with _Echo("k").running() as emulator:
        emulator.faults = [Spoil("call", how)]
        with pytest.raises(aiohttp.ClientError):
            await _said(f"{emulator.url}/call")
        assert len(emulator.bill) == taken
        assert json.loads((await _said(f"{emulator.url}/call"))[1]) == {"took": 1}


async def test_large_bodies_are_taken_and_keys_are_counted() -> None:
    async with _Echo("secret").running() as emulator:
        assert (
            await _said(f"{emulator.url}/call", b"x" * (3 << 20), Authorization="Bearer secret")
        )[0] == 200
        await _said(f"{emulator.url}/call")
        assert (emulator.seen["call"], emulator.keyed["call"]) == (2, 1)


def test_an_image_is_read_out_of_its_data_uri() -> None:
    assert image_in("data:image/png;base64,eA==") == b"x"
    assert image_in("data:image/png;base64,!") is image_in("https://x/y") is image_in(None) is None
