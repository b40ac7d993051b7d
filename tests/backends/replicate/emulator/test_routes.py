from __future__ import annotations

import aiohttp
import pytest

from tests.backends.queued import Emulate
from tests.backends.replicate.conftest import KEY


@pytest.mark.parametrize(
    ("method", "path", "phase"),
    [
        ("POST", "/v1/predictions", "submit"),
        ("POST", "/v1/models/a/b/predictions", "submit"),
        ("GET", "/v1/predictions", "history"),
        ("GET", "/v1/predictions/abc", "status"),
        ("POST", "/v1/predictions/abc/cancel", "status"),
        ("POST", "/v1/files", "upload"),
        ("GET", "/v1/files/abc", "asset"),
        ("GET", "/v1/account", "credits"),
    ],
)
async def test_a_path_and_its_verb_are_a_phase_and_need_the_key(
    emulate: Emulate, method: str, path: str, phase: str
) -> None:
    emulator = await emulate(keys=frozenset({KEY}))
    for key, known in ((KEY, True), ("r8_another", False)):
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.request(method, emulator.url + path, headers=headers) as answer:
            assert (answer.status != 401) == known
    assert emulator.requests()["phases"] == {phase: 2}


async def test_anything_else_is_refused_in_its_words(emulate: Emulate) -> None:
    emulator = await emulate()
    for method, path, status in (("GET", "/v1/nothing", 404), ("DELETE", "/v1/account", 405)):
        async with aiohttp.request(method, emulator.url + path) as answer:
            assert (answer.status, (await answer.json())["status"]) == (status, status)
