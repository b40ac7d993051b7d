from __future__ import annotations

import io

import aiohttp

from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.plain import EmulatedAnswer, Emulator
from relightflow.backends.emulator.server import start
from tests.backends.segmind.conftest import KEY

LARGE = b"x" * (3 << 20)
"""More than a server of aiohttp's takes by itself."""


class _Counting(Emulator):
    def phase(self, *_: object) -> str:
        return "other"

    async def answer(self, _: object, body: bytes) -> EmulatedAnswer:
        return EmulatedAnswer.of({"bytes": len(body)})


async def test_a_plain_emulator_takes_an_image_inside_a_request() -> None:
    async with (
        _Counting("").running() as emulator,
        aiohttp.request("POST", emulator.url, data=io.BytesIO(LARGE)) as answer,
    ):
        assert await answer.json() == {"bytes": len(LARGE)}


async def test_so_does_one_with_faults() -> None:
    async with await start(Config(image="tiny")) as running:
        url, headers = f"{running.url}/upload-asset", {"x-api-key": KEY}
        data = io.BytesIO(LARGE)
        async with aiohttp.request("POST", url, data=data, headers=headers) as answer:
            assert (answer.status, "Invalid upload" in await answer.text()) == (400, True)
