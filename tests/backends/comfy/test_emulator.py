"""The emulated protocol is the documented one, before any backend speaks it."""

from __future__ import annotations

import base64
import json
from typing import Any

import aiohttp

from relightflow.backends.comfy.emulator import ComfyEmulator
from relightflow.backends.emulator.images import tiny

BODY = {
    "image": f"data:image/jpeg;base64,{base64.b64encode(tiny()).decode()}",
    "light_type": "midday",
}


async def _post(emulator: ComfyEmulator, key: str, body: Any = BODY) -> tuple[int, Any, Any]:
    url = f"{emulator.url}/v2/models/bria/image-edit-relight"
    headers = {"X-API-Key": emulator.key, "Idempotency-Key": key}
    data = json.dumps(body).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=data, headers=headers) as answer,
    ):
        return answer.status, await answer.json(), answer.headers


async def test_a_key_is_billed_once_replayed_and_refused_with_another_body() -> None:
    async with ComfyEmulator("k").running() as emulator:
        assert isinstance(emulator, ComfyEmulator)
        first = await _post(emulator, "one")
        again = await _post(emulator, "one")
        assert first[1] == again[1]
        assert "X-Comfy-Credits-Used" in first[2]
        assert again[2]["Idempotent-Replayed"] == "true"
        status, _, headers = await _post(emulator, "one", {**BODY, "light_type": "other"})
        assert (status, headers["X-Comfy-Error-Type"]) == (409, "invalid_input")
        assert len(emulator.bill) == 1


async def test_a_refused_input_gives_the_key_back() -> None:
    async with ComfyEmulator("k").running() as emulator:
        assert isinstance(emulator, ComfyEmulator)
        status, said, _ = await _post(emulator, "one", {"image": "no"})
        assert (status, said["detail"][0]["loc"]) == (422, ["body", "image"])
        assert (await _post(emulator, "one"))[0] == 200


async def test_a_call_that_runs_says_so_until_it_is_done() -> None:
    async with ComfyEmulator("k", seconds=60.0, holds=0.0).running() as emulator:
        assert isinstance(emulator, ComfyEmulator)
        status, _, headers = await _post(emulator, "one")
        assert (status, headers["X-Comfy-Error-Type"]) == (504, "deadline_exceeded")
        status, _, headers = await _post(emulator, "one")
        assert (status, headers["Retry-After"]) == (409, "1")
        emulator.skew = 61.0
        assert (await _post(emulator, "one"))[0] == 200
        assert len(emulator.bill) == 1
