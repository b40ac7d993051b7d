"""Paths and methods of fal's protocol, as a stranger meets them."""

from __future__ import annotations

import aiohttp
import pytest

from tests.backends.fal.conftest import KEY
from tests.backends.queued import Emulate

HEAD = {"Authorization": f"Key {KEY}"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/bria/fibo-edit/relight", 404),
        ("POST", "/bria/fibo-edit/nothing", 404),
        ("POST", "/bria/fibo-edit/requests/abc/status", 405),
        ("GET", "/bria/fibo-edit/requests/abc/status", 404),
        ("GET", "/v1/models/requests/by-endpoint", 422),
        ("GET", "/v1/models/requests/by-endpoint?endpoint_id=x&limit=y", 422),
        ("GET", "/v1/models/requests/by-endpoint?endpoint_id=x", 200),
        ("GET", "/assets/nothing", 404),
        ("GET", "/__bill", 200),
        ("GET", "/__requests", 200),
    ],
)
async def test_what_a_path_answers(emulate: Emulate, method: str, path: str, status: int) -> None:
    emulator = await emulate()
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, emulator.url + path, headers=HEAD, json={}) as answer,
    ):
        assert answer.status == status


async def test_nothing_is_told_without_a_key(emulate: Emulate) -> None:
    emulator = await emulate()
    async with aiohttp.ClientSession() as session:
        for path in ("/fal-ai/iclight-v2/requests/a", "/v1/models/requests/by-endpoint"):
            async with session.get(emulator.url + path) as answer:
                assert answer.status == 401
