"""The emulated ComfyUI, as a stranger meets it."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.backends.queued import Emulate

GRAPH = {"9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}}}


async def posted(url: str, body: Any) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.post(f"{url}/prompt", json=body) as got:
        return got.status, await got.json()


async def test_a_name_that_is_given_again_runs_again(emulate: Emulate) -> None:
    emulator = await emulate()
    for _ in range(2):
        status, said = await posted(emulator.url, {"prompt": GRAPH, "prompt_id": "mine"})
        assert (status, said["prompt_id"]) == (200, "mine")
    assert emulator.bill()["totals"]["requests"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": {"9": {"class_type": "Preview", "inputs": {}}}},
        {"prompt": {**GRAPH, "1": {"class_type": "LoadImage", "inputs": {"image": "gone.png"}}}},
    ],
)
async def test_a_graph_that_cannot_run_is_refused(emulate: Emulate, body: Any) -> None:
    status, said = await posted((await emulate()).url, body)
    assert status == 400
    assert said["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/prompt", 405),
        ("GET", "/history/x", 200),
        ("GET", "/queue", 200),
    ],
)
async def test_what_a_path_answers(emulate: Emulate, method: str, path: str, status: int) -> None:
    emulator = await emulate()
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, emulator.url + path) as answer,
    ):
        assert answer.status == status
